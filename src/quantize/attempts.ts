// The gate, attempt by attempt: what fails it is answered by keeping the most sensitive products in full precision.
import { join } from 'node:path';
import type { OpenOptions } from '../embedder/open.js';
import type { LabelledSet } from '../evaluate/labelled-set.js';
import { type Comparison, compareScores, type EmbedTexts, type Score, scoreSet } from '../evaluate/score.js';
import type { ModelFolder } from '../model/folder.js';
import { INT8_NAME } from '../model/names.js';
import { writeGraph } from '../onnx/write.js';
import { isThere } from '../there.js';
import type { Matrix } from '../vectors/matrix.js';
import { candidateFolder, withEmbedder } from './candidate.js';
import { type HeldOutText, judge } from './gate.js';
import { MOST_FP32_SITES } from './options.js';
import type { GraphFormat, QuantizedModel } from './path.js';
import { type GateFigures, type GateThresholds, ON_CONTROL } from './report.js';
import { bySensitivity } from './sensitivity.js';

export interface AttemptContext {
  readonly source: ModelFolder;
  readonly work: string;
  readonly threads: number;
  readonly maxTokens: number;
  readonly heldOut: readonly HeldOutText[];
  /** Text that the calibration had no part in; may be empty. */
  readonly control: readonly HeldOutText[];
  readonly sets: readonly LabelledSet[];
  readonly format: GraphFormat;
  readonly thresholds: GateThresholds;
}

export interface Reference {
  /** Vectors in full precision: of the held-out texts, and of the control texts. */
  readonly heldOut: Matrix;
  readonly control: Matrix;
  readonly scores: readonly Score[];
}

export interface Attempt {
  readonly figures: GateFigures;
  readonly keptInFp32: readonly string[];
}

/** Held-out vectors and scores of the source: what every attempt is held against. */
export async function referenceOf(context: AttemptContext, tell: (done: number) => void): Promise<Reference> {
  return withEmbedder(context.source, await enginesFor(context), async (embed) => {
    const [heldOut, control] = await embedGroups(context, embed);
    const scores: Score[] = [];
    for (const set of context.sets) {
      tell(scores.length / context.sets.length);
      scores.push(await scoreSet(set, embed));
    }
    return { heldOut, control, scores };
  });
}

/** One engine with all threads where each would hold over a gigabyte of weights, which then lie beside the model. */
async function enginesFor({ source, threads, maxTokens }: AttemptContext): Promise<OpenOptions> {
  const isLarge = await isThere(`${source.modelPath}.data`);
  return isLarge ? { threads: 1, threadsPerWorker: threads, maxTokens } : { threads, maxTokens };
}

/** Writes and judges the model; while the gate fails, keeps one more of the most sensitive sites in fp32. */
export async function attemptUntilPassed(
  quantized: QuantizedModel,
  reference: Reference,
  context: AttemptContext,
  tell: (done: number) => void,
): Promise<Attempt> {
  const sensitive = bySensitivity(quantized.choices);
  const most = Math.min(MOST_FP32_SITES, sensitive.length - 1);
  for (let kept = 0; ; kept++) {
    const keptInFp32 = sensitive.slice(0, kept);
    const figures = await attempt(quantized, new Set(keptInFp32), reference, context);
    tell((kept + 1) / (most + 1));
    if (figures.failures.length === 0 || kept >= most) return { figures, keptInFp32 };
  }
}

async function attempt(
  quantized: QuantizedModel,
  keep: ReadonlySet<string>,
  reference: Reference,
  context: AttemptContext,
): Promise<GateFigures> {
  const path = join(context.work, INT8_NAME);
  await writeGraph(quantized.emit(keep, context.format), path);
  const { heldOut, control, sets, thresholds } = context;
  return withEmbedder(candidateFolder(context.source, path, quantized.ports), context, async (embed) => {
    const [heldOutVectors, controlVectors] = await embedGroups(context, embed);
    const evaluated: Comparison[] = [];
    for (const [at, set] of sets.entries()) evaluated.push(compareScores(reference.scores[at] as Score, await scoreSet(set, embed)));
    const figures = judge(heldOut, reference.heldOut, heldOutVectors, evaluated, thresholds);
    if (control.length === 0) return figures;
    return withControl(figures, judge(control, reference.control, controlVectors, [], thresholds));
  });
}

async function embedGroups({ heldOut, control }: AttemptContext, embed: EmbedTexts): Promise<[Matrix, Matrix]> {
  const vectors = async (texts: readonly HeldOutText[]): Promise<Matrix> =>
    embed(
      texts.map(({ text }) => text),
      'none',
    );
  return [await vectors(heldOut), await vectors(control)];
}

/** Both must pass; worst texts and histogram stay those of the held-out texts. */
function withControl(figures: GateFigures, control: GateFigures): GateFigures {
  const { cosine, overlap, cosines } = control;
  const failures = [...figures.failures, ...control.failures.map((failure) => `${ON_CONTROL}${failure}`)];
  return { ...figures, control: { texts: cosines.length, cosine, overlap }, failures };
}
