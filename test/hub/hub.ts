// A hub on loopback that speaks the real one's protocol: revisions, trees in pages, redirects to a second host for large files,
// ETags and ranges. It can break, stall, lie and refuse on demand, and counts every byte of a body that it sends.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Seen {
  /** hub or storage. */
  readonly at: 'hub' | 'storage';
  readonly method: string;
  readonly url: string;
  /** Path of the file inside the model; empty for the API. */
  readonly file: string;
  readonly range: string | undefined;
  readonly token: string | undefined;
}

/** What goes wrong with one answer; all of it may be combined. */
export interface Fault {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is cut after so many bytes of the body. */
  readonly breakAfter?: number;
  /** Cut by a reset, which takes with it what is under way. */
  readonly isReset?: boolean;
  /** Nothing comes any more after so many bytes; the connection stays. */
  readonly stallAfter?: number;
  /** Sent in place of the file. */
  readonly body?: Buffer;
  readonly noRanges?: boolean;
  readonly location?: string;
  /** Bytes a piece, and milliseconds between pieces. */
  readonly slow?: { readonly bytes: number; readonly everyMs: number };
}

export interface HubOptions {
  readonly id?: string;
  readonly files: Readonly<Record<string, Buffer | string>>;
  /** Files from this size on are LFS files, served by the storage host. */
  readonly lfsBytes?: number;
  readonly pageSize?: number;
  /** Asked before each answer. */
  readonly fault?: (seen: Seen, count: number) => Fault | undefined;
  /** Changes the entries of the tree on their way out. */
  readonly tree?: (entries: TreeEntry[]) => unknown[];
  /** Only those with it see the model. */
  readonly token?: string;
  /** PEM; undefined: plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface TreeEntry {
  readonly type: string;
  readonly path: string;
  readonly size: number;
  readonly oid: string;
  readonly lfs?: { readonly oid: string; readonly size: number; readonly pointerSize: number };
}

export interface Hub {
  readonly endpoint: string;
  readonly commit: string;
  readonly seen: Seen[];
  /** Bytes of bodies that went out, by file. */
  readonly sent: Map<string, number>;
  /** Gives `main` other files, under another commit. */
  change(files: HubOptions['files']): string;
  close(): Promise<void>;
}

const KNOWN = new WeakMap<Buffer, string>();

/** Computed once a buffer: a hub is asked for it at every request. */
export function sha256(bytes: Buffer): string {
  const hash = KNOWN.get(bytes) ?? createHash('sha256').update(bytes).digest('hex');
  KNOWN.set(bytes, hash);
  return hash;
}

export const gitHash = (bytes: Buffer): string => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

class LoopbackHub implements Hub {
  readonly seen: Seen[] = [];
  readonly sent = new Map<string, number>();
  /** Commit -> files. */
  private readonly commits = new Map<string, Map<string, Buffer>>();
  commit = '';
  endpoint = '';
  private storageOrigin = '';
  private readonly servers: Server[] = [];

  constructor(
    private readonly id: string,
    private readonly options: HubOptions,
  ) {
    this.change(options.files);
  }

  change(files: HubOptions['files']): string {
    const whole = new Map(
      Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? Buffer.from(content) : content]),
    );
    this.commit = createHash('sha1')
      .update([...whole].map(([path, content]) => path + gitHash(content)).join())
      .digest('hex');
    this.commits.set(this.commit, whole);
    return this.commit;
  }

  async listen(): Promise<this> {
    this.endpoint = await this.serve('hub', (request, response) => this.answerHub(request, response));
    this.storageOrigin = await this.serve('storage', (request, response) => this.answerStorage(request, response));
    return this;
  }

  private async serve(_at: Seen['at'], answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const { tls } = this.options;
    const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const server of this.servers) server.closeAllConnections();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private note(at: Seen['at'], request: IncomingMessage, file: string): { seen: Seen; fault: Fault } {
    const token = request.headers.authorization;
    const seen: Seen = { at, method: request.method ?? '', url: request.url ?? '', file, range: request.headers.range, token };
    this.seen.push(seen);
    const count = this.seen.filter((other) => other.at === at && other.file === file && other.method === seen.method).length;
    return { seen, fault: this.options.fault?.(seen, count) ?? {} };
  }

  private isLfs(content: Buffer): boolean {
    return content.length >= (this.options.lfsBytes ?? 1024);
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.endpoint);
    const path = decodeURIComponent(url.pathname);
    const inside = `/${this.id}/resolve/`;
    const cached = `/api/resolve-cache/models/${this.id}/`;
    const prefix = [inside, cached].find((one) => path.startsWith(one));
    const [commit = '', ...rest] = prefix === undefined ? [] : path.slice(prefix.length).split('/');
    const { fault } = this.note('hub', request, rest.join('/'));
    if (fault.status !== undefined) return void refuse(response, fault);
    if (this.options.token !== undefined && request.headers.authorization !== `Bearer ${this.options.token}`) {
      return void refuse(response, { status: 401, headers: { 'x-error-code': 'RepoNotFound' } });
    }
    if (prefix !== undefined)
      return void this.answerFile(request, response, { commit, file: rest.join('/'), isResolve: prefix === inside }, fault);
    if (path.startsWith(`/api/models/${this.id}/revision/`)) return void this.answerRevision(response, path.split('/revision/')[1] ?? '');
    if (path.startsWith(`/api/models/${this.id}/tree/`)) return void this.answerTree(response, url);
    refuse(response, { status: 404, headers: { 'x-error-code': 'RepoNotFound' } });
  }

  private answerRevision(response: ServerResponse, revision: string): void {
    const sha = ['main', 'HEAD'].includes(revision) ? this.commit : revision;
    if (!this.commits.has(sha)) return void refuse(response, { status: 404, headers: { 'x-error-code': 'RevisionNotFound' } });
    const siblings = [...(this.commits.get(sha)?.keys() ?? [])].map((rfilename) => ({ rfilename }));
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        _id: '1',
        id: this.id,
        sha,
        siblings,
        private: false,
        gated: false,
        downloads: 1,
        likes: 0,
        lastModified: '2026-01-01T00:00:00.000Z',
      }),
    );
  }

  private answerTree(response: ServerResponse, url: URL): void {
    const commit = url.pathname.split('/tree/')[1] ?? '';
    const files = this.commits.get(commit);
    if (files === undefined) return void refuse(response, { status: 404, headers: { 'x-error-code': 'RevisionNotFound' } });
    const entries: TreeEntry[] = [...files].map(([path, content]) => ({
      type: 'file',
      path,
      size: content.length,
      // Of an LFS file the tree gives the hash of its pointer here.
      oid: this.isLfs(content) ? gitHash(Buffer.from(sha256(content))) : gitHash(content),
      ...(this.isLfs(content) && { lfs: { oid: sha256(content), size: content.length, pointerSize: 134 } }),
    }));
    const folders = new Set([...files.keys()].filter((path) => path.includes('/')).map((path) => path.split('/')[0] as string));
    const all = [
      ...[...folders].map((path) => ({ type: 'directory', path, size: 0, oid: 'a'.repeat(40) })),
      ...(this.options.tree?.(entries) ?? entries),
    ];
    const size = this.options.pageSize ?? 50;
    const from = Number(url.searchParams.get('cursor') ?? 0);
    if (from + size < all.length) {
      const next = new URL(url);
      next.searchParams.set('cursor', String(from + size));
      response.setHeader('link', `<${next.href}>; rel="next"`);
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(all.slice(from, from + size)));
  }

  private answerFile(
    request: IncomingMessage,
    response: ServerResponse,
    { commit, file, isResolve }: { commit: string; file: string; isResolve: boolean },
    fault: Fault,
  ): void {
    const content = this.commits.get(commit === 'main' ? this.commit : commit)?.get(file);
    if (content === undefined) return void refuse(response, { status: 404, headers: { 'x-error-code': 'EntryNotFound' } });
    response.setHeader('x-repo-commit', this.commit);
    response.setHeader('accept-ranges', 'bytes');
    if (isResolve && this.isLfs(content)) {
      const location = fault.location ?? `${this.storageOrigin}/${sha256(content)}?file=${encodeURIComponent(file)}&X-Signature=abc`;
      response.writeHead(302, { location, 'x-linked-size': String(content.length), 'x-linked-etag': `"${sha256(content)}"` });
      response.end(`Found. Redirecting to ${location}`);
    } else if (isResolve) {
      const location =
        fault.location ?? `/api/resolve-cache/models/${this.id}/${commit}/${file.split('/').map(encodeURIComponent).join('/')}`;
      response.writeHead(307, { location, etag: `"${gitHash(content)}"`, 'x-linked-size': String(content.length) });
      response.end();
    } else {
      response.setHeader('etag', `"${gitHash(content)}"`);
      this.send(request, response, file, content, fault);
    }
  }

  private answerStorage(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.storageOrigin);
    const hash = url.pathname.slice(1);
    const file = url.searchParams.get('file') ?? '';
    const { fault } = this.note('storage', request, file);
    // As signed addresses do: two ways to prove who asks are one too many.
    if (request.headers.authorization !== undefined) return void refuse(response, { status: 400 });
    if (fault.status !== undefined) return void refuse(response, fault);
    const content = [...this.commits.values()].map((files) => files.get(file)).find((some) => some !== undefined && sha256(some) === hash);
    if (content === undefined) return void refuse(response, { status: 404 });
    this.send(request, response, file, content, fault);
  }

  private send(request: IncomingMessage, response: ServerResponse, file: string, content: Buffer, fault: Fault): void {
    const whole = fault.body ?? content;
    const from = fault.noRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from >= whole.length && from > 0) return void refuse(response, { status: 416 });
    const body = whole.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` }),
      ...fault.headers,
    });
    if (request.method === 'HEAD') return void response.end();
    void this.write(response, file, body, fault);
  }

  private async write(response: ServerResponse, file: string, body: Buffer, fault: Fault): Promise<void> {
    const end = Math.min(body.length, fault.breakAfter ?? body.length, fault.stallAfter ?? body.length);
    const step = fault.slow?.bytes ?? 2 ** 16;
    for (let at = 0; at < end && !response.destroyed; at += step) {
      const piece = body.subarray(at, Math.min(at + step, end));
      // Counted when the system has taken it.
      await new Promise<void>((resolve) => response.write(piece, () => resolve()));
      this.sent.set(file, (this.sent.get(file) ?? 0) + piece.length);
      if (fault.slow !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.slow?.everyMs));
    }
    if (fault.stallAfter !== undefined) return;
    if (fault.isReset) return void response.socket?.resetAndDestroy();
    // What was written is to arrive before the end does.
    if (fault.breakAfter !== undefined && end < body.length) return void response.socket?.destroySoon();
    response.end();
  }
}

function refuse(response: ServerResponse, { status = 500, headers = {} }: Fault): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: `status ${status}` }));
}

/** A hub that is closed when the test ends. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const hub = await openHub(options);
  onTestFinished(() => hub.close());
  return hub;
}

/** A hub that the caller closes. */
export async function openHub(options: HubOptions): Promise<Hub> {
  return new LoopbackHub(options.id ?? 'org/tiny', options).listen();
}
