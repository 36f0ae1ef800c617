// Long work on the event loop in small steps, taken in turns: no request's tokenizing or formatting holds up another's, or /health.

/** So long steps are done before the event loop has its turn. */
const SLICE_MS = 4;

interface Task {
  readonly steps: number;
  done: number;
  readonly step: (index: number) => void;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Turns {
  private readonly tasks: Task[] = [];
  private scheduled = false;

  /** Calls step(0) to step(steps - 1), a few at a time; short work is done when this returns. Rejects with what a step throws, or once aborted. */
  run(steps: number, step: (index: number) => void, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.tasks.push({ steps, done: 0, step, signal, resolve, reject });
      if (!this.scheduled) this.slice();
    });
  }

  private slice(): void {
    const end = performance.now() + SLICE_MS;
    while (this.tasks.length > 0 && performance.now() < end) {
      const task = this.tasks.shift() as Task;
      if (this.advance(task)) this.tasks.push(task);
    }
    this.scheduled = this.tasks.length > 0;
    if (this.scheduled) setImmediate(() => this.slice());
  }

  /** One step of a task; whether more are left. */
  private advance(task: Task): boolean {
    try {
      task.signal?.throwIfAborted();
      if (task.done < task.steps) task.step(task.done++);
      if (task.done < task.steps) return true;
      task.resolve();
    } catch (error) {
      task.reject(error);
    }
    return false;
  }
}
