// One run at a time for an output: a file beside it that says who holds it, kept fresh while the run lasts.
import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, readlink, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { unwritable } from '../columns/sinks.js';
import { EmbedkitError, systemCode } from '../errors.js';
import { isThere } from '../there.js';

export interface Holder {
  readonly token: string;
  readonly host: string;
  /** Of the running system and of the process-id namespace: within both alike, a process id means the same process. */
  readonly boot: string;
  readonly namespace: string;
  readonly pid: number;
  /** In clock ticks since boot: tells a process from a later one with its number. */
  readonly started: string;
}

export interface Lock {
  release(): Promise<void>;
}

const HEARTBEAT_MS = 10_000;
const TURN_MS = 20;
/** A holder that cannot be looked at is taken for dead after this long without a heartbeat. */
export const SILENCE_MS = 60_000;

/**
 * Takes the lock at `path`. Throws `locked` where a living run holds it, `output-unwritable` where the place cannot be written.
 * @param onLost called once where another run took the lock away, as after a suspended machine
 */
export async function takeLock(path: string, name: string, onLost: (error: EmbedkitError) => void): Promise<Lock> {
  const self = await describeSelf();
  const own = `${path}.${self.token}`;
  await writeFile(own, JSON.stringify(self)).catch((error: unknown) => {
    throw unwritable(name, error);
  });
  try {
    await claim(path, own, name, self);
    await keep(path, self);
  } finally {
    await unlink(own).catch(() => undefined);
  }
  await sweep(path, self);
  const beat = setInterval(() => void keep(path, self).catch(onLost), HEARTBEAT_MS);
  beat.unref();
  return {
    release: async () => {
      clearInterval(beat);
      if ((await readHolder(path))?.token === self.token) await unlink(path).catch(() => undefined);
    },
  };
}

/** A link is made or refused in one step. A dead holder's lock is replaced, never removed, by one run at a time. */
async function claim(path: string, own: string, name: string, self: Holder): Promise<void> {
  for (;;) {
    if (await linked(own, path)) return;
    await refuseHeld(path, name, self);
    if (await replaced(path, own, name, self)) return;
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
}

/** Removes what runs left beside the lock that were killed on their way to it. */
async function sweep(path: string, self: Holder): Promise<void> {
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const left = join(dirname(path), name);
    if (!(await isHeld(left, await readHolder(left), self))) await unlink(left).catch(() => undefined);
  }
}

async function refuseHeld(path: string, name: string, self: Holder): Promise<void> {
  const holder = await readHolder(path);
  if (await isHeld(path, holder, self)) throw lockedBy(name, path, holder);
}

/** Takes over the lock of a dead holder; false where another run is at it. */
async function replaced(path: string, own: string, name: string, self: Holder): Promise<boolean> {
  const turn = `${path}.turn`;
  if (!(await linked(own, turn))) {
    // Left by a run that was killed within these few lines.
    if (!(await isHeld(turn, await readHolder(turn), self))) await unlink(turn).catch(() => undefined);
    return false;
  }
  try {
    // Released meanwhile: then it is free for whoever links first.
    if (!(await isThere(path))) return false;
    await refuseHeld(path, name, self);
    await rename(own, path);
    return true;
  } finally {
    await unlink(turn).catch(() => undefined);
  }
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isHeld(path: string, holder: Holder | undefined, self: Holder): Promise<boolean> {
  if (holder !== undefined && holder.host === self.host && holder.boot === self.boot && holder.namespace === self.namespace) {
    return (await startOf(holder.pid)) === holder.started;
  }
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Math.abs(Date.now() - info.mtimeMs) < SILENCE_MS;
}

async function keep(path: string, self: Holder): Promise<void> {
  const holder = await readHolder(path);
  if (holder?.token !== self.token) {
    throw new EmbedkitError('locked', `another run took the lock ${path}`, { hint: 'let one run at a time write an output' });
  }
  const now = new Date();
  await utimes(path, now, now);
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function describeSelf(): Promise<Holder> {
  return {
    token: randomUUID(),
    host: hostname(),
    boot: await readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
      (text) => text.trim(),
      () => '',
    ),
    namespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    pid: process.pid,
    started: (await startOf(process.pid)) ?? '',
  };
}

/** When a process began; undefined where it is gone. Source: proc(5), field 22 of stat, which follows the name in parentheses. */
async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (line !== undefined) return startIn(line.slice(line.lastIndexOf(')') + 2).split(' '));
  return isAlive(pid) ? '' : undefined;
}

/** Fields from the third on: the state, and 19 further on the start. A zombie holds nothing any more. */
function startIn(fields: readonly string[]): string | undefined {
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** For systems without /proc, where a process that took over the number of a dead one is not told from it. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function lockedBy(name: string, path: string, holder: Holder | undefined): EmbedkitError {
  const who = holder === undefined ? 'another run' : `process ${holder.pid} on ${holder.host}`;
  const hint = `wait for it, or remove ${path} if no such run exists`;
  return new EmbedkitError('locked', `${who} is writing ${name}`, { hint });
}
