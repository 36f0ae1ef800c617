// The flags of `pull`: its own, and those of `export` for -o.
import { WEIGHTS, type WeightsForm } from '../hub/select.js';
import { EXPORT_FLAGS, type ExportArguments } from './export.js';
import type { Flag } from './flags.js';
import type { LogFormat } from './report.js';

const OUTPUT = '-o, --output <folder>';

export const PULL_FLAGS: readonly Flag[] = [
  { flags: OUTPUT, help: 'also make this model folder of it, as embedkit export does, with the flags of export below' },
  {
    flags: '--form <form>',
    help: 'form of the weights to fetch',
    fallback: 'safetensors where embedkit reads that family of models, else onnx',
    choices: WEIGHTS,
  },
  { flags: '--quiet', help: 'print errors only, and the folder' },
  { flags: '--log-format <format>', help: 'how progress and result are printed', fallback: 'text', choices: ['text', 'json'] },
  ...EXPORT_FLAGS.filter(({ flags }) => flags !== OUTPUT),
];

export interface PullArguments extends ExportArguments {
  readonly form?: WeightsForm;
  readonly quiet?: boolean;
  readonly logFormat?: LogFormat;
}
