// What goes wrong on the way to the hub: passing trouble, which is tried again, and refusals, which are final.
import { EmbedkitError, type ErrorCode, messageOf, systemCode } from '../errors.js';

/** Trouble that may be over in a moment. `final` is what it becomes when it is not. */
export class PassingTrouble extends Error {
  constructor(
    message: string,
    readonly code: ErrorCode,
    readonly retryAfterMs = 0,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }

  final(): EmbedkitError {
    const hint = HINTS[this.code] ?? 'run the same command again later: what has arrived is kept';
    return new EmbedkitError(this.code, this.message, { hint, cause: this });
  }
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  'server-unreachable': 'check the network, HF_ENDPOINT and the proxy, then run the same command again: what has arrived is kept',
};

/** Names that undici and the system give to broken connections -> what a person reads. */
const BREAKS: Readonly<Record<string, string>> = {
  UND_ERR_BODY_TIMEOUT: 'nothing came for too long',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came for too long',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within the time allowed',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer ended early',
  ECONNRESET: 'the connection broke',
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'no such host is known',
  EAI_AGAIN: 'no name server answered',
};

/** What OpenSSL and Node call a certificate that this machine has no reason to believe: tries do not change that. */
const UNTRUSTED = /CERT|UNABLE_TO_(GET|VERIFY)/;

/** A connection that failed, at `host`; final where it is the certificate. */
export function broken(host: string, error: unknown): PassingTrouble | EmbedkitError {
  const code = systemCode(error) ?? '';
  if (UNTRUSTED.test(code)) {
    const found = `${host}: its certificate is not trusted (${messageOf(error)})`;
    const hint = 'if it is that of your mirror or proxy, name a file with the certificate of its authority in NODE_EXTRA_CA_CERTS';
    return new EmbedkitError('server-unreachable', found, { hint, cause: error });
  }
  const what = BREAKS[code] ?? (error instanceof Error && error.message !== '' ? error.message : code || 'the connection broke');
  return new PassingTrouble(`${host}: ${what}`, 'server-unreachable', 0, { cause: error });
}

export interface Refusal {
  readonly status: number;
  /** X-Error-Code of the hub. */
  readonly errorCode: string | undefined;
  /** What was asked for: ORG/NAME, or a file of it. */
  readonly what: string;
  readonly host: string;
  readonly hasToken: boolean;
}

/** A status that no further try would change. */
export function refused({ status, errorCode, what, host, hasToken }: Refusal): EmbedkitError {
  const say = (found: string, hint: string): EmbedkitError =>
    new EmbedkitError('server-refused', `${what}: ${host} ${found} (status ${status})`, { hint });
  const another = hasToken ? 'set HF_TOKEN to a token that may read it' : 'set HF_TOKEN if it is not public';
  if (errorCode === 'GatedRepo') {
    return say('gives it only to those who accepted its terms', `accept them on ${host}, and set HF_TOKEN to a token of that account`);
  }
  if (errorCode === 'RevisionNotFound') return say('knows no such revision', 'check what stands behind the @, or leave it out');
  if (status === 401 && hasToken) return say('does not know this model or this token', 'check the name and HF_TOKEN');
  if (status === 401)
    return say('does not show it to everyone, or has no such model', 'check the name, and set HF_TOKEN if it is not public');
  if (status === 403) return say('does not allow it', another);
  if (status === 404 || status === 410) return say('has no such model, revision or file', `check the name, and ${another}`);
  return say('refuses it', 'check HF_ENDPOINT and the proxy');
}
