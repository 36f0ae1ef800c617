// A quantization with everything settled that can be before the first long step.
import type { ModelFolder } from '../model/folder.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import type { AttemptContext } from './attempts.js';
import type { Calibration } from './calibration.js';
import type { Stages } from './stages.js';
import type { WeightRange } from './weights.js';

export interface QuantizeRun {
  readonly stages: Stages;
  readonly source: ModelFolder;
  readonly calibration: Calibration;
  readonly tokenizer: TextTokenizer;
  readonly context: AttemptContext;
  readonly weights: WeightRange;
}
