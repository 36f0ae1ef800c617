// The library's public surface: re-exports only.
export type { OutputFormatName } from './columns/formats.js';
export type { KeepColumn, KeptTypeName, VectorDtype } from './columns/row.js';
export { type EmbeddingModel, type EmbedOptions, type OpenOptions, openModel } from './embedder/open.js';
export { EmbedkitError, type ErrorCode, FAILURES } from './errors.js';
export type {
  JobConfig,
  JobInput,
  JobModel,
  JobOutput,
  JobProgress,
  JobSummary,
  MaxErrors,
  OnError,
  OnOverflow,
  Resume,
  WindowLimits,
} from './job/config.js';
export { type Prediction, predictJob } from './job/predict.js';
export { runJob } from './job/run.js';
export { type ExportOptions, type ExportReport, exportModel } from './model/export.js';
export type { Manifest } from './model/manifest.js';
export type { FormatName } from './records/formats.js';
export { cosine, type Matrix, rowOf } from './vectors/matrix.js';
export { VERSION } from './version.js';
