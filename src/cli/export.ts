// `embedkit export`: its flags, and the report of what storing the weights cost.

import { count, mebibytes } from '../format.js';
import { POOLINGS, type Pooling } from '../vectors/pool.js';
import { type Flag, wholeNumber } from './flags.js';

export const EXPORT_FLAGS: readonly Flag[] = [
  { flags: '-o, --output <folder>', help: 'model folder to write' },
  {
    flags: '--dtype <type>',
    help: 'how weights are stored; arithmetic stays fp32',
    fallback: 'as safetensors have them (BF16 as fp32), fp16 from ONNX',
    choices: ['fp16', 'fp32'],
  },
  { flags: '--pooling <how>', help: 'how token vectors become one', fallback: 'as files beside the model say', choices: POOLINGS },
  { flags: '--no-normalize', help: 'leave vectors at the length that pooling gives' },
  { flags: '--query-prompt <text>', help: 'text put before queries' },
  { flags: '--document-prompt <text>', help: 'text put before documents' },
  { flags: '--max-tokens <n>', help: 'longest text in tokens', fallback: '512, or what the model allows', parse: wholeNumber },
  { flags: '--name <name>', help: 'name of the model', fallback: 'that of its folder' },
  { flags: '--source <text>', help: 'where the model comes from, for the manifest' },
  { flags: '--license <name>', help: 'licence of the model, for the manifest' },
  { flags: '--attribution <text>', help: 'whom to credit, for the manifest' },
  { flags: '--overwrite', help: 'replace the output folder' },
];

export interface ExportArguments {
  readonly output?: string;
  readonly dtype?: 'fp16' | 'fp32';
  readonly pooling?: Pooling;
  readonly normalize?: boolean;
  readonly queryPrompt?: string;
  readonly documentPrompt?: string;
  readonly maxTokens?: number;
  readonly name?: string;
  readonly source?: string;
  readonly license?: string;
  readonly attribution?: string;
  readonly overwrite?: boolean;
}

/** What `export` tells of the model that it wrote, and the figures in it. */
export type SayExported = (text: string, fields: object) => void;

const toStderr: SayExported = (text) => void process.stderr.write(`${text}\n`);

/** Runs `export`; throws EmbedkitError. */
export async function exportCommand(path: string, given: ExportArguments, say = toStderr): Promise<void> {
  const { EmbedkitError } = await import('../errors.js');
  if (given.output === undefined) throw new EmbedkitError('usage', 'no output named', { hint: 'say -o followed by a folder' });
  const { exportModel } = await import('../model/export.js');
  const source = await sourceOf(path);
  const { manifest, outputDifference } = await exportModel(source.path, given.output, {
    ...given,
    name: given.name ?? source.name,
    origin: given.source ?? source.origin,
    // commander gives true where --no-normalize is absent; then the files beside the model decide.
    normalize: given.normalize === false ? false : undefined,
  });
  const { weights } = manifest;
  const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  const lines = [
    `${given.output}: ${manifest.name}, ${manifest.dim} dimensions, ${manifest.max_tokens} tokens, ${manifest.pooling} pooling, ${mebibytes(bytes)}`,
    `${count(weights.exact)} of ${count(weights.total)} weights are exact in ${weights.dtype}, largest difference ${weights.max_difference}`,
    `largest difference of the outputs to the source on probe texts: ${outputDifference}`,
  ];
  const { name, dim, max_tokens, pooling } = manifest;
  say(lines.join('\n'), { folder: given.output, name, dim, max_tokens, pooling, bytes, output_difference: outputDifference });
}

/** A file or folder; else a model of the hub's cache, whose folder is named after its commit. */
async function sourceOf(path: string): Promise<{ path: string; name?: string; origin?: string }> {
  const { isThere } = await import('../there.js');
  const { parseHubName, shortName } = await import('../hub/name.js');
  const name = (await isThere(path)) ? undefined : parseHubName(path);
  if (name === undefined) return { path };
  const { findSnapshot } = await import('../hub/cached.js');
  const snapshot = await findSnapshot(name);
  return snapshot === undefined ? { path } : { path: snapshot.folder, name: shortName(name), origin: `${name.id}@${snapshot.commit}` };
}
