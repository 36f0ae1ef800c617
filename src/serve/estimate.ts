// How many tokens texts will have at least, told from their characters by what earlier texts had: a refusal should cost less than tokenizing.

/** Tokenizing fewer characters than this takes no time that counts. */
const CHEAP_CHARACTERS = 4096;
/** How far each request draws the guess up; down it goes at once. */
const RISE = 0.02;

export class TokenEstimate {
  private tokensPerCharacter: number | undefined;

  /** The least that was seen counts: what is refused on a guess should be certain to be refused when it is known. */
  learn(characters: number, tokens: number): void {
    if (characters === 0) return;
    const found = tokens / characters;
    const before = this.tokensPerCharacter ?? found;
    this.tokensPerCharacter = found < before ? found : before + RISE * (found - before);
  }

  /** Of texts of so many characters each; 0 where it is as well to tokenize them, or nothing is known yet. */
  atLeast(lengths: readonly number[], maxTokens: number): number {
    const characters = lengths.reduce((sum, length) => sum + length, 0);
    if (characters < CHEAP_CHARACTERS) return 0;
    const each = this.tokensPerCharacter ?? 0;
    return Math.floor(lengths.reduce((sum, length) => sum + Math.min(maxTokens, length * each), 0));
  }
}
