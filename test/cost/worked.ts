// The case that the worked examples share: $0.02 a million tokens by API, a machine kept up at $115 a month.
import { type CostInputs, HOURS_PER_MONTH } from '#src/cost/inputs.js';

export const WORKED: CostInputs = {
  machines: [{ name: 'int8', tokensPerSecond: 25_000 }],
  source: 'a test',
  textsPerMonth: 12e6,
  tokensPerText: 50,
  pricePerHour: 115 / HOURS_PER_MONTH,
  apiPricePerMillion: 0.02,
  priceDate: '2026-11-25',
  instance: 'up',
  utilization: 1,
};
