// `verify`: whether an output is what it claims, by itself and against its input. The place to start reading.
import { isCoded, type VectorDtype } from '../columns/row.js';
import { untilAborted } from '../job/abort.js';
import { DEFAULT_MAX_LINE_BYTES, type JobInput, type JobModel } from '../job/config.js';
import type { Row, RunItem } from '../job/items.js';
import { type JobParts, PARTS } from '../job/job.js';
import { runItems } from '../job/run-items.js';
import { readRecords, resolveInputs } from '../records/read.js';
import type { Selection } from '../records/select.js';
import { createTokenizer } from '../tokens/tokenizer.js';
import { checkAgainst, type InputCounts } from './against.js';
import { checkAlone } from './alone.js';
import type { Check } from './check.js';
import { type Claims, settleClaims } from './claims.js';
import { DEFAULT_SAMPLE } from './even-sample.js';
import { openOutput } from './output.js';
import type { OutputFile } from './output-file.js';
import { type Provenance, textSelection } from './provenance.js';
import { engineFailures } from './quarantine.js';
import { SampleCheck } from './sample.js';

export interface VerifyOptions {
  /** The input to hold the output against, read as `runJob` does; undefined: the output by itself. */
  readonly against?: JobInput | undefined;
  /** Rows to embed again, spread evenly; 0 takes all. */
  readonly sample?: number | undefined;
  /** What to use instead of what the provenance says. `dtype` is for JSONL, which has none. */
  readonly model?: (JobModel & { readonly dtype?: VectorDtype | undefined }) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Verification {
  readonly file: string;
  readonly format: OutputFile['format'];
  readonly rows: number;
  /** Whether every check found nothing that differs. */
  readonly holds: boolean;
  readonly checks: readonly Check[];
  /** Null where no input was given. */
  readonly input: InputCounts | null;
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
}

/**
 * Verifies an output in one pass, or two with its input; memory does not grow with either.
 * @throws EmbedkitError `usage`, `input-not-found`, `input-unreadable` where either cannot be read to its end, `model-invalid`,
 *   `engine-failed`; or the reason of `options.signal`. A file that does not hold is no error: see `holds`
 */
export async function verifyOutput(
  path: string,
  options: VerifyOptions = {},
  parts: Pick<JobParts, 'startModel'> = PARTS,
): Promise<Verification> {
  const file = await openOutput(path);
  const { against, model = {}, signal } = options;
  const needsModel = file.provenance !== undefined || against !== undefined || model.model !== undefined;
  const claims = needsModel ? await settleClaims(file, model) : undefined;
  const alone = await checkAlone(file, claims, signal);
  const compared = claims && against && (await compare(file, alone.rows, claims, { ...options, ...parts, against }));
  const checks = [...alone.checks, ...(compared?.checks ?? [])];
  return {
    file: path,
    format: file.format,
    rows: alone.rows,
    holds: checks.every(({ differ }) => differ === 0),
    checks,
    input: compared?.input ?? null,
    unchecked: uncheckedOf(file, claims, against),
  };
}

type CompareOptions = VerifyOptions & Pick<JobParts, 'startModel'> & { readonly against: JobInput };

async function compare(file: OutputFile, rows: number, claims: Claims, options: CompareOptions): ReturnType<typeof checkAgainst> {
  const { against, signal, sample: sampleSize = DEFAULT_SAMPLE } = options;
  const tokenizer = createTokenizer(claims.folder.tokenizer);
  const asked = {
    items: await itemsOf(file.provenance, claims, against),
    rows,
    sampleSize,
    isOverlong: (row: Row) => claims.onOverflow === 'quarantine' && tokenizer.encode(row.fullText, claims.maxTokens).lost > 0,
    engineFailures: await engineFailures(file.path),
    signal,
  };
  if (whyNoSample(claims) !== undefined) return checkAgainst(file, { ...asked, sample: undefined });
  const model = options.startModel(claims.folder, { threads: options.model?.threads, maxTokens: claims.maxTokens });
  try {
    await untilAborted(model.pool.ready(), signal);
    return await checkAgainst(file, { ...asked, sample: new SampleCheck({ model, dims: claims.dims, storage: claims.storage, signal }) });
  } finally {
    await model.close();
  }
}

/** Why no row can be embedded again; undefined where it can. */
function whyNoSample(claims: Claims): string | undefined {
  const { manifest } = claims.folder;
  if (claims.fingerprint !== claims.claimedFingerprint) return 'the model is another';
  return [manifest.dim, ...manifest.dimensions].includes(claims.dims) ? undefined : `the model gives none of ${claims.dims} values`;
}

function uncheckedOf(file: OutputFile, claims: Claims | undefined, against: JobInput | undefined): string[] {
  const notes: string[] = [];
  if (file.provenance === undefined) notes.push(`fingerprint and options: ${file.format} says nothing of its making`);
  const why = claims && whyNoSample(claims);
  const dtype = claims?.storage.dtype ?? file.provenance?.dtype;
  if (dtype !== undefined && isCoded(dtype)) notes.push(`lengths of vectors: ${dtype} keeps none`);
  if (against === undefined) notes.push('texts, and vectors embedded again: name the input with --against');
  else if (why !== undefined) notes.push(`vectors embedded again: ${why}`);
  return notes;
}

async function itemsOf(provenance: Provenance | undefined, claims: Claims, against: JobInput): Promise<AsyncGenerator<RunItem[]>> {
  const inputs = await resolveInputs(against.paths, { from: against.from, stdin: against.stdin });
  const limits = { maxLineBytes: against.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES };
  const records = readRecords(inputs, { selection: selectionOf(provenance, against), limits }, { bytesDone: 0 });
  const { prompt, claimedFingerprint: fingerprint } = claims;
  const { limit = Number.MAX_SAFE_INTEGER, shard } = against;
  const tokenizer = createTokenizer(claims.folder.tokenizer);
  return runItems(records, { prompt, fingerprint, limit, shard, chunks: claims.chunks, tokenizer, keep: [], named: true });
}

function selectionOf(provenance: Provenance | undefined, { textField, template, idField }: JobInput): Selection {
  const isAsked = textField !== undefined || template !== undefined;
  const asked = isAsked || provenance === undefined ? { textField, template } : textSelection(provenance.text);
  return { textField: 'text', template: undefined, ...defined(asked), idField: idField ?? provenance?.id, keep: [] };
}

function defined(fields: { readonly textField?: string | undefined; readonly template?: string | undefined }): Partial<Selection> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
