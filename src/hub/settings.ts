// What the environment says of the hub: the variables of the hub's own libraries.
import { EmbedkitError } from '../errors.js';

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly offline: boolean;
  /** How long nothing may come before a request counts as stalled. */
  readonly stallMs: number;
}

const PUBLIC_HUB = 'https://huggingface.co';
const DEFAULT_STALL_SECONDS = 30;
const ON = new Set(['1', 'ON', 'YES', 'TRUE']);
/** What may stand in a header. */
const TOKEN = /^[\x21-\x7e]+$/;

/** Reads HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and HF_HUB_DOWNLOAD_TIMEOUT. Throws `usage`, never with the token in the message. */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const token = env['HF_TOKEN']?.trim() || undefined;
  if (token !== undefined && !TOKEN.test(token))
    throw wrong('HF_TOKEN holds what no token has, such as a space', 'set it to the token alone');
  const seconds = Number(env['HF_HUB_DOWNLOAD_TIMEOUT'] || DEFAULT_STALL_SECONDS);
  if (!(seconds > 0 && seconds < 1e6)) throw wrong('HF_HUB_DOWNLOAD_TIMEOUT is no number of seconds', 'set it to one, like 30');
  return {
    endpoint: endpointOf(env['HF_ENDPOINT']?.trim() || PUBLIC_HUB),
    token,
    offline: ON.has((env['HF_HUB_OFFLINE'] ?? '').toUpperCase()),
    stallMs: seconds * 1000,
  };
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw wrong('HF_ENDPOINT is no address of a hub', 'write it like https://huggingface.co');
  }
  return url.href.replace(/\/+$/, '');
}

function wrong(found: string, hint: string): EmbedkitError {
  return new EmbedkitError('usage', found, { hint });
}
