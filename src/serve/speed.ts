// How fast an engine is: a call of so many tokens takes `call + tokens * each` milliseconds, by least squares over the last calls. A plain ratio
// of tokens to time would say of lone queries that an engine is slow, and refuse a flood that full batches can take.

/** What a call counts for, one call later. */
const REMEMBERED = 0.95;
/** Calls' worth of doubt that a call costs anything by itself: with calls of one size only, all of the time is their tokens'. */
const DOUBT = 0.01;

export class EngineSpeed {
  private calls = 0;
  private tokens = 0;
  private ms = 0;
  private squares = 0;
  private products = 0;

  learn(tokens: number, milliseconds: number): void {
    const ms = Math.max(milliseconds, 0.001);
    this.calls = this.calls * REMEMBERED + 1;
    this.tokens = this.tokens * REMEMBERED + tokens;
    this.ms = this.ms * REMEMBERED + ms;
    this.squares = this.squares * REMEMBERED + tokens * tokens;
    this.products = this.products * REMEMBERED + tokens * ms;
  }

  /** Tokens a millisecond in batches of so many; undefined before the first call. */
  tokensPerMs(batchTokens: number): number | undefined {
    if (this.calls === 0) return undefined;
    const { call, each } = this.fit();
    return batchTokens / (call + batchTokens * each);
  }

  /** Neither part below zero: noise may say so. */
  private fit(): { call: number; each: number } {
    const { tokens, ms, squares, products } = this;
    const calls = this.calls + DOUBT;
    const determinant = calls * squares - tokens * tokens;
    const call = (ms * squares - tokens * products) / determinant;
    const each = (calls * products - tokens * ms) / determinant;
    if (each <= 0) return { call: ms / this.calls, each: 0 };
    return call <= 0 ? { call: 0, each: products / squares } : { call, each };
  }
}
