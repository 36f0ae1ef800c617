// What the server tells Prometheus.
import { readFile } from 'node:fs/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Answer } from './answer.js';
import type { BatchFacts } from './dispatcher.js';
import type { ServedModel } from './models.js';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const TOKENS = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128];

export interface Metrics {
  readonly text: () => Promise<string>;
  /** The answer to a request for vectors is out. */
  readonly request: (status: number, seconds: number) => void;
  readonly rejected: (reason: string) => void;
  readonly answered: (model: ServedModel, answer: Answer) => void;
  readonly batch: (model: string, batch: BatchFacts) => void;
  readonly engineEnded: (model: string) => void;
  /** What is asked for when metrics are. */
  readonly watch: (models: readonly ServedModel[]) => void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counts = createCounters(registry);
  const spreads = createHistograms(registry);
  return {
    text: () => registry.metrics(),
    request: (status, seconds) => {
      counts.requests.inc({ status: String(status) });
      spreads.latency.observe(seconds);
    },
    rejected: (reason) => counts.rejected.inc({ reason }),
    answered: ({ name: model }, { vectors, tokens, truncated, tokenizeMs }) => {
      counts.texts.inc({ model }, vectors.length);
      counts.tokens.inc({ model }, tokens);
      counts.truncated.inc({ model }, truncated.length);
      spreads.inTokenizer.observe({ model }, tokenizeMs / 1000);
    },
    batch: (model, { tokens, rows, engineMs, waitedMs }) => {
      spreads.batchTokens.observe({ model }, tokens);
      spreads.batchRows.observe({ model }, rows);
      spreads.inEngine.observe({ model }, engineMs / 1000);
      for (const ms of waitedMs) spreads.inQueue.observe({ model }, ms / 1000);
    },
    engineEnded: (model) => counts.restarts.inc({ model }),
    watch: (models) => {
      watchModels(registry, models);
      // Present from the start: an increase from nothing is none.
      for (const { name: model } of models) for (const made of [counts.restarts, counts.truncated]) made.inc({ model }, 0);
    },
  };
}

function createCounters(registry: Registry) {
  const counter = (name: string, help: string, ...labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames, registers: [registry] });
  return {
    requests: counter('embeddings_requests_total', 'Answers to requests for vectors, by status; 499: the client went away.', 'status'),
    rejected: counter('embeddings_rejected_total', 'Requests refused, by reason.', 'reason'),
    texts: counter('embeddings_texts_total', 'Texts embedded.', 'model'),
    tokens: counter('embeddings_tokens_total', 'Tokens embedded, special tokens included.', 'model'),
    truncated: counter('embeddings_texts_truncated_total', 'Texts that were cut.', 'model'),
    restarts: counter('embeddings_engine_restarts_total', 'Engine processes that ended unasked and are replaced.', 'model'),
  };
}

function createHistograms(registry: Registry) {
  const histogram = (name: string, help: string, buckets: number[], ...labelNames: string[]): Histogram =>
    new Histogram({ name, help, buckets, labelNames, registers: [registry] });
  return {
    latency: histogram('embeddings_latency_seconds', 'From the arrival of a request for vectors to the end of its answer.', SECONDS),
    batchTokens: histogram('embeddings_batch_tokens', 'Tokens a batch.', TOKENS, 'model'),
    batchRows: histogram('embeddings_batch_rows', 'Texts a batch.', ROWS, 'model'),
    inQueue: histogram('embeddings_queue_seconds', 'Time that a text waited for an engine.', SECONDS, 'model'),
    inTokenizer: histogram('embeddings_tokenizer_seconds', 'Time that the texts of a request took to tokenize.', SECONDS, 'model'),
    inEngine: histogram('embeddings_engine_seconds', 'Time that a batch took in its engine.', SECONDS, 'model'),
  };
}

/** Gauges that are read when they are asked for. */
function watchModels(registry: Registry, models: readonly ServedModel[]): void {
  const gauge = (name: string, help: string, measure: (model: ServedModel) => number | Promise<number>): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [registry],
      collect: async () => {
        for (const model of models) made.set({ model: model.name }, await measure(model));
      },
    });
  };
  gauge('embeddings_queue_tokens', 'Tokens that wait for an engine.', ({ dispatcher }) => dispatcher.waiting.tokens);
  gauge('embeddings_queue_texts', 'Texts that wait for an engine.', ({ dispatcher }) => dispatcher.waiting.texts);
  gauge('embeddings_engines_ready', 'Engine processes that can take a batch.', ({ engines }) => engines.ready);
  const memory = 'Memory of the engine processes, beside process_resident_memory_bytes.';
  gauge('embeddings_engines_resident_memory_bytes', memory, ({ engines }) => residentBytes(engines.pids));
  const labelNames = ['model', 'precision', 'fingerprint', 'dim'];
  const info = new Gauge({ name: 'embeddings_model_info', help: 'The models that are served.', labelNames, registers: [registry] });
  for (const { name: model, folder, fingerprint } of models) {
    info.set({ model, precision: folder.precision, fingerprint, dim: folder.manifest.dim }, 1);
  }
}

const PAGE_BYTES = 4096;

/** Resident memory of processes, where /proc tells it; elsewhere 0. */
async function residentBytes(pids: readonly number[]): Promise<number> {
  const pages = pids.map(async (pid) => Number((await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0')).split(' ')[1]));
  return (await Promise.all(pages)).reduce((sum, count) => sum + count, 0) * PAGE_BYTES;
}
