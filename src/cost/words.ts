// A cost in words: money, volumes, and the sentence that says which choice is the cheaper one. Text out of data.
import { count, countOf } from '../format.js';
import type { CostReport, MachineCost } from './cost.js';
import type { CostInputs } from './inputs.js';

/** What a machine is called whose speed was given, and not its name. */
export const UNNAMED = 'machine';

/** Tokens of the longest text that the model which comes with embedkit reads. */
const SHIPPED_MODEL_TOKENS = 512;

/** "$1,234.50"; small amounts with the digits that tell them apart: "$0.00035". */
export function dollars(amount: number): string {
  if (amount === 0 || amount >= 0.995) return `$${fixed(amount, 2)}`;
  const digits = Math.min(12, Math.max(2, 2 - Math.floor(Math.log10(amount))));
  return `$${amount.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, '$1')}`;
}

function fixed(amount: number, digits: number): string {
  return amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A volume with three or four significant digits: "5,750,000". */
export function volume(texts: number): string {
  return count(Number(texts.toPrecision(4)));
}

/** Which is the cheaper choice at this volume, by how much, and from which volume on that turns. */
export function verdictOf(cost: MachineCost, { inputs, api }: CostReport): string {
  const prices = `${dollars(api.perMonth)} a month by API, ${dollars(cost.perMonth)} on ${machinesInWords(cost)}${cost.name === UNNAMED ? '' : ` (${cost.name})`}`;
  if (cost.cheaper === 'same') return `Both cost the same: ${prices}.`;
  const who = cost.cheaper === 'api' ? 'The API is the cheaper choice' : 'Your own machine is the cheaper choice';
  return `${who}: ${prices}. ${turningPoint(cost, inputs)}`;
}

function machinesInWords({ machines }: MachineCost): string {
  return machines === 1 ? 'one machine' : `${count(machines)} machines`;
}

function turningPoint({ breakEven, perMillionAtFullUse, stairs, cheaper }: MachineCost, inputs: CostInputs): string {
  const tokens = `of ${countOf(inputs.tokensPerText, 'token')}`;
  const rates = `a million tokens cost ${dollars(perMillionAtFullUse)} on a machine in full use, ${dollars(inputs.apiPricePerMillion)} by API`;
  if (stairs === null) return `That holds at every volume: ${rates}.`;
  if (breakEven === null) return `No volume changes that: ${rates}.`;
  const { textsPerMonth, forGood } = breakEven;
  const again =
    forGood > textsPerMonth ? `, and for good from ${volume(forGood)} (in between, each further machine has to fill first)` : '';
  const from = `from ${volume(textsPerMonth)} texts a month ${tokens}${again}`;
  return cheaper === 'api' ? `Own machines pay ${from}.` : `They pay ${from}; below that the API is cheaper.`;
}

/** What a reader must know before trusting the figures. */
export function notesOf({ inputs }: CostReport): string[] {
  const notes = [
    `prices as given, of ${inputs.priceDate}; speeds: ${inputs.source}`,
    'machines only: no storage, traffic, or work of people; a month has 730 hours',
    "an API counts tokens with its model's tokenizer, and speed changes with the length of texts: both figures are yours to check",
  ];
  if (inputs.tokensPerText > SHIPPED_MODEL_TOKENS)
    notes.push(
      `the model that comes with embedkit reads ${SHIPPED_MODEL_TOKENS} tokens of a text: longer ones are cut, or become several rows with --on-overflow chunk`,
    );
  return notes;
}
