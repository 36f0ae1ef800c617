// The queue of texts: which of them go to an engine next. No clock, no engine, no promise: data in, batches out.
// Fair twice over, by tokens: between clients, and between the requests of a client, so that neither a flood nor a long
// request holds up a short one. (Virtual time as in weighted fair queueing: each flow is served as if it had its share.)

export interface QueuedText {
  readonly ids: Int32Array;
  /** Who asks: clients share the engines evenly. */
  readonly client: string;
  /** The request that the text belongs to. */
  readonly request: number;
  /** When it came, in milliseconds of any clock. */
  readonly arrived: number;
}

export interface BatchBounds {
  /** Most tokens a batch; a longer text goes alone. */
  readonly maxTokens: number;
  readonly maxRows: number;
  /** For so long a text may be passed over for a fuller batch of its own client. */
  readonly maxWaitMs: number;
}

/** A flow of work under virtual time: `tag` is where its share begins that it has not used yet. */
interface Flow {
  tag: number;
}

interface RequestFlow<T> extends Flow {
  readonly texts: Set<T>;
  /** Tokens of its texts. */
  tokens: number;
}

interface ClientFlow<T> extends Flow {
  readonly requests: Map<number, RequestFlow<T>>;
  /** Virtual time among its requests. */
  time: number;
  /** Tokens of its requests. */
  tokens: number;
}

export class TextQueue<T extends QueuedText> {
  private readonly clients = new Map<string, ClientFlow<T>>();
  private readonly byLength = new Map<number, Set<T>>();
  /** Virtual time among the clients. */
  private time = 0;
  /** Tokens that wait. */
  tokens = 0;
  /** Texts that wait. */
  texts = 0;

  push(text: T): void {
    // Whoever comes, or comes back, begins now: neither owed for the time before nor in debt for it.
    const client = entry(this.clients, text.client, () => ({ tag: this.time, requests: new Map(), time: 0, tokens: 0 }));
    const request = entry(client.requests, text.request, () => ({ tag: client.time, texts: new Set(), tokens: 0 }));
    request.texts.add(text);
    request.tokens += text.ids.length;
    client.tokens += text.ids.length;
    entry(this.byLength, text.ids.length, () => new Set<T>()).add(text);
    this.tokens += text.ids.length;
    this.texts++;
  }

  /** Takes a text out that is no longer wanted; nothing where it does not wait. */
  drop(text: T): void {
    const client = this.clients.get(text.client);
    const request = client?.requests.get(text.request);
    if (client === undefined || request === undefined || !request.texts.delete(text)) return;
    request.tokens -= text.ids.length;
    client.tokens -= text.ids.length;
    if (request.texts.size === 0) client.requests.delete(text.request);
    if (client.requests.size === 0) this.clients.delete(text.client);
    const equals = this.byLength.get(text.ids.length);
    equals?.delete(text);
    if (equals?.size === 0) this.byLength.delete(text.ids.length);
    this.tokens -= text.ids.length;
    this.texts--;
  }

  /**
   * Tokens of others that are taken before the last text of a request of so many tokens that came now, if nothing came after it:
   * of each request of its client as many as its own, and of each other client as many as all those.
   */
  ahead(client: string, tokens: number): number {
    let own = 0;
    for (const request of this.clients.get(client)?.requests.values() ?? []) own += Math.min(request.tokens, tokens);
    let others = 0;
    for (const [name, flow] of this.clients) if (name !== client) others += Math.min(flow.tokens, own + tokens);
    return own + others;
  }

  /** The next batch: texts of one length, or nothing where none wait. */
  take(bounds: BatchBounds, now: number): T[] {
    const client = leastOf(this.clients.values(), (flow) => flow.tag + shortest(flow));
    if (client === undefined) return [];
    const batch = this.fill(this.headOf(client, bounds, now), bounds);
    for (const text of batch) this.charge(text);
    return batch;
  }

  /** The client's text whose turn it is, or one with a fuller batch while that text has not waited for long. */
  private headOf(client: ClientFlow<T>, bounds: BatchBounds, now: number): T {
    const request = leastOf(client.requests.values(), (flow) => flow.tag + lengthOf(firstOf(flow.texts))) as RequestFlow<T>;
    const turn = firstOf(request.texts);
    if (now - turn.arrived >= bounds.maxWaitMs || this.fullness(turn, bounds) === 1) return turn;
    const others = [...client.requests.values()].map((flow) => firstOf(flow.texts));
    return others.reduce((best, text) => (this.fullness(text, bounds) > this.fullness(best, bounds) ? text : best), turn);
  }

  /** How full a batch of the text's length would be, from 0 to 1. */
  private fullness(text: T, bounds: BatchBounds): number {
    const rows = this.byLength.get(text.ids.length)?.size ?? 0;
    return Math.min(1, rows / rowsOf(text.ids.length, bounds));
  }

  private fill(head: T, bounds: BatchBounds): T[] {
    const rows = rowsOf(head.ids.length, bounds);
    const batch = [head];
    for (const text of this.byLength.get(head.ids.length) ?? []) {
      if (batch.length >= rows) break;
      if (text !== head) batch.push(text);
    }
    return batch;
  }

  /** Takes the text out at the cost of its client and its request; time goes on by each one's share of it. */
  private charge(text: T): void {
    const client = this.clients.get(text.client) as ClientFlow<T>;
    const request = client.requests.get(text.request) as RequestFlow<T>;
    const cost = text.ids.length;
    client.time += cost / client.requests.size;
    this.time += cost / this.clients.size;
    request.tag += cost;
    client.tag += cost;
    this.drop(text);
  }
}

function rowsOf(length: number, { maxTokens, maxRows }: BatchBounds): number {
  return Math.max(1, Math.min(maxRows, Math.floor(maxTokens / length)));
}

function lengthOf(text: QueuedText): number {
  return text.ids.length;
}

/** Tokens of the shortest text that is first in its request. */
function shortest(client: ClientFlow<QueuedText>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { texts } of client.requests.values()) least = Math.min(least, lengthOf(firstOf(texts)));
  return least;
}

function firstOf<T>(texts: Set<T>): T {
  return texts.values().next().value as T;
}

/** The flow with the least of a value; the first of equals wins. */
function leastOf<F>(flows: Iterable<F>, measure: (flow: F) => number): F | undefined {
  let best: F | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const flow of flows) {
    const value = measure(flow);
    if (value < least) [best, least] = [flow, value];
  }
  return best;
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const held = map.get(key);
  if (held !== undefined) return held;
  const made = make();
  map.set(key, made);
  return made;
}
