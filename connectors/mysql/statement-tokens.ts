import { ANSI_QUOTES } from './protocol/query-event.ts';

export type TokenKind = 'word' | 'name' | 'text' | 'symbol';

/** A token of a statement: a bare word, a quoted name, a literal, or one character of punctuation. */
export interface Token {
  readonly kind: TokenKind;
  /** Unquoted; words as written. */
  readonly text: string;
}

const WORD = /[\p{L}\p{N}_$@.]/u;
const SPACE = /\s/;

/**
 * The tokens of an SQL text, as they are asked for: a long statement costs what is read of it. Never throws; what has no end
 * ends with the text. Executable comments (`/*! … *​/`, `/*M! … *​/`) are read as if they were not comments.
 */
export class StatementTokens {
  readonly #text: string;
  readonly #ansiQuotes: boolean;
  #at = 0;
  #peeked: Token | null | undefined;

  constructor(text: string, sqlMode: number) {
    this.#text = text;
    this.#ansiQuotes = (sqlMode & ANSI_QUOTES) !== 0;
  }

  peek(): Token | null {
    if (this.#peeked === undefined) this.#peeked = this.#read();
    return this.#peeked;
  }

  next(): Token | null {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  /** Steps over the next token if it is one of these words, whatever its case. */
  skipWord(...words: readonly string[]): boolean {
    const token = this.peek();
    if (token?.kind !== 'word' || !words.includes(token.text.toLowerCase())) return false;
    this.next();
    return true;
  }

  skipSymbol(symbol: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'symbol' || token.text !== symbol) return false;
    this.next();
    return true;
  }

  #read(): Token | null {
    this.#skipBlanks();
    const text = this.#text;
    const start = this.#at;
    if (start >= text.length) return null;
    const first = text[start] as string;
    if (first === '`' || (first === '"' && this.#ansiQuotes)) return { kind: 'name', text: this.#quoted(first) };
    if (first === "'" || first === '"') return { kind: 'text', text: this.#quoted(first) };
    if (WORD.test(first) && first !== '.') {
      this.#at += 1;
      while (this.#at < text.length && WORD.test(text[this.#at] as string) && text[this.#at] !== '.') this.#at += 1;
      return { kind: 'word', text: text.slice(start, this.#at) };
    }
    this.#at += 1;
    return { kind: 'symbol', text: first };
  }

  #skipBlanks(): void {
    const text = this.#text;
    for (;;) {
      while (this.#at < text.length && SPACE.test(text[this.#at] as string)) this.#at += 1;
      const two = text.slice(this.#at, this.#at + 2);
      if (two === '/*') this.#skipComment();
      else if (text[this.#at] === '#' || (two === '--' && /^--(\s|$)/.test(text.slice(this.#at, this.#at + 3)))) {
        const end = text.indexOf('\n', this.#at);
        this.#at = end < 0 ? text.length : end + 1;
      } else if (two === '*/') this.#at += 2;
      else return;
    }
  }

  #skipComment(): void {
    const executable = /^\/\*M?!\d*/.exec(this.#text.slice(this.#at, this.#at + 12));
    if (executable !== null) {
      this.#at += executable[0].length;
      return;
    }
    const end = this.#text.indexOf('*/', this.#at + 2);
    this.#at = end < 0 ? this.#text.length : end + 2;
  }

  /** A quote inside is doubled; in a literal a backslash may stand before it. */
  #quoted(quote: string): string {
    const text = this.#text;
    let content = '';
    this.#at += 1;
    while (this.#at < text.length) {
      const character = text[this.#at] as string;
      this.#at += 1;
      if (character === '\\' && quote !== '`') {
        content += text[this.#at] ?? '';
        this.#at += 1;
      } else if (character === quote) {
        if (text[this.#at] !== quote) return content;
        content += quote;
        this.#at += 1;
      } else content += character;
    }
    return content;
  }
}
