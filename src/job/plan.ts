// A job's options become its parts: inputs found, model folder opened, flags checked against each other. Writes nothing.
import { realpath } from 'node:fs/promises';
import { OUTPUT_FORMAT_NAMES, type OutputFormatName, outputFormatOf } from '../columns/formats.js';
import { OWN_COLUMNS } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import { type ModelFolder, openFolder } from '../model/folder.js';
import { dimsFor, maxTokensFor, promptFor } from '../model/settings.js';
import type { ReadOptions } from '../records/formats.js';
import { type Input, resolveInputs } from '../records/read.js';
import { parseTemplate } from '../records/template.js';
import { DEFAULT_MAX_LINE_BYTES, DEFAULT_WINDOW, type JobConfig, type WindowLimits } from './config.js';

export interface JobPlan {
  readonly inputs: readonly Input[];
  readonly read: ReadOptions;
  readonly format: OutputFormatName;
  readonly folder: ModelFolder;
  readonly prompt: string;
  readonly dims: number;
  readonly maxTokens: number;
  readonly window: WindowLimits;
  readonly limit: number;
}

/** Checks a job. Throws `usage` for options that contradict each other, `input-not-found`, `model-invalid`. */
export async function planJob(config: JobConfig): Promise<JobPlan> {
  const { input, output, model = {} } = config;
  const format = outputFormat(output.path, output.to);
  const keep = input.keep ?? [];
  checkKeep(keep.map((column) => column.name));
  if (input.template !== undefined) parseTemplate(input.template);
  const inputs = await resolveInputs(input.paths, { from: input.from, stdin: input.stdin });
  await checkOverwrite(inputs, output.path);
  const folder = await openFolder(model.model, model.precision);
  return {
    inputs,
    read: {
      selection: {
        textField: input.textField ?? 'text',
        template: input.template,
        idField: input.idField,
        keep: keep.map((column) => column.name),
      },
      limits: { maxLineBytes: atLeast('--max-line-bytes', 1, input.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES) },
    },
    format,
    folder,
    prompt: promptFor(folder.manifest, model.prompt),
    dims: dimsFor(folder.manifest, output.dims),
    maxTokens: maxTokensFor(folder.manifest, model.maxTokens),
    window: windowLimits(config),
    limit: atLeast('--limit', 0, input.limit ?? Number.MAX_SAFE_INTEGER),
  };
}

function outputFormat(path: string, to: OutputFormatName | undefined): OutputFormatName {
  if (path === '-') return to === 'arrow' ? 'arrow-stream' : (to ?? 'jsonl');
  const format = to ?? outputFormatOf(path);
  if (format !== undefined) return format;
  const hint = `end it in .parquet, .arrow or .jsonl, or say --to (${OUTPUT_FORMAT_NAMES.join(', ')})`;
  throw new EmbedkitError('usage', `-o ${path}: the name does not tell a format`, { hint });
}

function checkKeep(names: readonly string[]): void {
  const own = names.find((name) => (OWN_COLUMNS as readonly string[]).includes(name));
  if (own !== undefined) {
    throw new EmbedkitError('usage', `--keep ${own}: the output has a column "${own}" of its own`, {
      hint: 'leave it out, or rename it in the input',
    });
  }
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new EmbedkitError('usage', `--keep names "${twice}" twice`, { hint: 'name it once' });
}

async function checkOverwrite(inputs: readonly Input[], output: string): Promise<void> {
  const target = await realpath(output).catch(() => undefined);
  for (const { source } of inputs) {
    if (target === undefined || source.path === undefined || (await realpath(source.path)) !== target) continue;
    throw new EmbedkitError('usage', `-o ${output} is also an input`, { hint: 'write to another file' });
  }
}

function windowLimits(config: JobConfig): WindowLimits {
  const asked = { ...DEFAULT_WINDOW, ...config.window };
  return {
    rows: atLeast('--window-rows', 1, asked.rows),
    bytes: atLeast('--window-bytes', 1, asked.bytes),
    tokens: atLeast('--window-tokens', 1, asked.tokens),
  };
}

function atLeast(flag: string, least: number, value: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new EmbedkitError('usage', `${flag} ${value}: not a whole number of at least ${least}`, { hint: 'choose one' });
}
