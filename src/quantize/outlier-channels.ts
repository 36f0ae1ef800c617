// Which inner channels are given copies before quantizing: those whose range times weight stands out most. Pure.
import { magnitudesOf, type Observation } from './observation.js';

/**
 * Every channel once, in order, then `extra` copies: each goes to the channel that would still weigh most.
 * @param weightRows one a channel: largest magnitude of the weights that the channel meets
 */
export function copiedChannels(seen: Omit<Observation, 'sample'>, weightRows: Float32Array, extra: number): Int32Array {
  const weights = magnitudesOf(seen).map((value, channel) => value * (weightRows[channel] as number));
  const copies = new Float32Array(seen.channels).fill(1);
  const sources = Int32Array.from({ length: seen.channels + extra }, (_, at) => at);
  for (let at = seen.channels; at < sources.length; at++) {
    let heaviest = 0;
    for (let channel = 1; channel < seen.channels; channel++) {
      if (shareOf(channel) > shareOf(heaviest)) heaviest = channel;
    }
    sources[at] = heaviest;
    copies[heaviest] = (copies[heaviest] as number) + 1;
  }
  return sources;

  function shareOf(channel: number): number {
    return (weights[channel] as number) / (copies[channel] as number);
  }
}
