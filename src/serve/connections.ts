// Connections that never become requests: too slow, too large or no HTTP at all. Answered by hand, since there is no request to answer.
import type { Socket } from 'node:net';
import type { Metrics } from './metrics.js';

interface Answer {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', code: 'too-slow', message: 'the request did not come in time' },
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', code: 'header-too-large', message: 'the headers are too large' },
};

const MALFORMED: Answer = { status: '400 Bad Request', code: 'malformed-http', message: 'this is not HTTP as this server reads it' };

export function refuseBadConnections(error: Error & { code?: string }, socket: Socket, metrics: Metrics): void {
  // The other side has gone: nobody is there to be told.
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const { status, code, message } = ANSWERS[error.code ?? ''] ?? MALFORMED;
  metrics.rejected(code);
  const body = JSON.stringify({ error: { message, type: code, param: null, code } });
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
