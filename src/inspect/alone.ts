// What can be said of an output by itself: the facts of its provenance, and every row's vector and content hash.
import { storedLength, type VectorDtype } from '../columns/row.js';
import { type Matrix, rowOf } from '../vectors/matrix.js';
import { brokenRows } from '../vectors/normalise.js';
import { type Check, checkRow, factCheck, rowCheck } from './check.js';
import type { Claims } from './claims.js';
import type { OutputFile } from './output-file.js';
import type { Provenance } from './provenance.js';

/** Norms of normalised vectors are within this of 1: float32 and float16 round every value by 2^-24 and 2^-11 of it. */
const UNIT_WITHIN = { float32: 1e-6, float16: 1e-3 };

const ITEM_NAMES: Record<VectorDtype, string> = { float32: 'Float32', float16: 'Float16', int8: 'Int8', binary: 'Uint8' };

const CONTENT_HASH = /^[0-9a-f]{32}$/;

export interface FileVerdict {
  readonly rows: number;
  readonly checks: readonly Check[];
}

/** Reads all rows once. `claims` is undefined where neither the file nor the caller names a model. Throws `input-unreadable`. */
export async function checkAlone(file: OutputFile, claims: Claims | undefined, signal?: AbortSignal): Promise<FileVerdict> {
  const { claim, broken } = vectorRule(file, claims);
  const vectors = rowCheck('vectors', claim);
  const hashes = rowCheck('content_hash', 'well formed');
  let rows = 0;
  for await (const batch of file.batches({ vectors: true })) {
    signal?.throwIfAborted();
    const wrong = new Set(broken(batch.vectors));
    for (const [index, { id, contentHash }] of batch.rows.entries()) {
      checkRow(vectors, rows, id, wrong.has(index) ? `not ${claim}` : undefined);
      checkRow(hashes, rows, id, CONTENT_HASH.test(contentHash) ? undefined : `"${contentHash.slice(0, 40)}"`);
      rows++;
    }
  }
  return { rows, checks: [...factsOf(file, claims, rows), vectors, hashes] };
}

interface VectorRule {
  readonly claim: string;
  /** The rows that do not hold. */
  readonly broken: (vectors: Matrix) => Iterable<number>;
}

function vectorRule({ provenance }: OutputFile, claims: Claims | undefined): VectorRule {
  const dtype = provenance?.dtype ?? claims?.storage.dtype;
  if (dtype === 'int8') return codeRule(-128, 127);
  if (dtype === 'binary') return codeRule(0, 255);
  const unit = provenance?.normalize ?? claims?.folder.manifest.normalize ?? false;
  // JSONL does not say: of floats the wider tolerance holds, and the sample tells float32 from float16.
  const within = UNIT_WITHIN[provenance?.dtype === 'float32' ? 'float32' : 'float16'];
  const claim = unit ? 'finite and of length 1' : 'finite and not all zeros';
  return { claim, broken: (vectors) => brokenRows(vectors, { unit, within }) };
}

function codeRule(least: number, most: number): VectorRule {
  const isCode = (value: number): boolean => Number.isInteger(value) && value >= least && value <= most;
  const broken = (vectors: Matrix): number[] => [...Array(vectors.rows).keys()].filter((row) => !rowOf(vectors, row).every(isCode));
  return { claim: `whole numbers from ${least} to ${most}`, broken };
}

function factsOf(file: OutputFile, claims: Claims | undefined, rows: number): Check[] {
  const checks: Check[] = [];
  const { promised, provenance } = file;
  if (promised !== undefined) {
    const fault = promised === rows ? undefined : `${rows} rows where the footer promises ${promised}`;
    checks.push(factCheck('rows', `${rows}, as the footer promises`, [fault]));
  }
  if (provenance === undefined || claims === undefined) return checks;
  const { dim, dtype } = provenance;
  checks.push(factCheck('columns', `vectors of ${dim} ${dtype} values, which the model gives`, [typeFault(file), dimFault(dim, claims)]));
  const of = `${claims.folder.path} (${claims.folder.precision}, ${claims.maxTokens} tokens)`;
  checks.push(factCheck('fingerprint', `that of ${of}`, modelFaults(provenance, claims, of)));
  return checks;
}

/** Pooling and normalising decide which checks are made: what is said of them must be the model's as well. */
function modelFaults(provenance: Provenance, { folder, fingerprint }: Claims, of: string): (string | undefined)[] {
  const { normalize } = folder.manifest;
  return [
    fingerprint === provenance.fingerprint ? undefined : `${provenance.fingerprint} is not that of the model ${of}, ${fingerprint}`,
    normalize === provenance.normalize ? undefined : `normalize is ${provenance.normalize}, and ${normalize} for the model ${of}`,
    folder.pooling === provenance.pooling ? undefined : `pooling is ${provenance.pooling}, and ${folder.pooling} for the model ${of}`,
  ];
}

function typeFault({ columns, provenance }: OutputFile): string | undefined {
  const { dim, dtype } = provenance as Provenance;
  const claimed = `FixedSizeList[${storedLength(dtype, dim)}]<${ITEM_NAMES[dtype]}>`;
  const found = columns.find(({ name }) => name === 'embedding')?.type;
  return found === claimed ? undefined : `column "embedding" is ${found} where the provenance says ${claimed}`;
}

function dimFault(dim: number, { folder: { manifest } }: Claims): string | undefined {
  const allowed = [manifest.dim, ...manifest.dimensions];
  return allowed.includes(dim) ? undefined : `the model gives no vectors of ${dim} values`;
}
