/**
 * Checks that bytes are one JSON text without building a value from them: an event goes to the function as it came, so
 * objects made here would be garbage, and a body of 6 MB would hold the event loop for tens of milliseconds. Bytes
 * may come in pieces, each is looked at once, as it arrives.
 *
 * The grammar is a table: state x byte -> next state or action. Arrays and objects that are open lie on a small stack.
 *
 * @see RFC 8259
 */
export class JsonCheck {
  #state: number = State.Value;
  #depth = 0;
  /** Open arrays (1) and objects (2), outermost first; only the first `#depth` entries count. */
  readonly #open: number[] = [];
  #isKey = false;
  #seen = 0;
  /** Offset of the first byte that cannot be, or -1. */
  #badAt = -1;

  /** Looks at the next bytes. After the first bad byte the rest is ignored. */
  push(bytes: Uint8Array): void {
    if (this.#badAt >= 0) return;
    let state = this.#state;
    const length = bytes.length;
    for (let at = 0; at < length; at += 1) {
      const next = table[(state << 8) | (bytes[at] ?? 0)] ?? BAD;
      if (next < FIRST_ACTION) {
        state = next;
        continue;
      }
      state = this.#act(next);
      if (state === BAD) {
        this.#badAt = this.#seen + at;
        return;
      }
    }
    this.#state = state;
    this.#seen += length;
  }

  /** Offset of the byte where the text stops being JSON; the length when it ends too early; -1 when it is JSON. */
  end(): number {
    if (this.#badAt >= 0) return this.#badAt;
    const isWhole = this.#depth === 0 && mayEnd[this.#state] === true;
    return isWhole ? -1 : this.#seen;
  }

  #act(action: number): number {
    switch (action) {
      case Action.OpenArray:
        return this.#push(ARRAY, State.FirstElement);
      case Action.OpenObject:
        return this.#push(OBJECT, State.FirstKey);
      case Action.CloseArray:
        return this.#pop(ARRAY);
      case Action.CloseObject:
        return this.#pop(OBJECT);
      case Action.Comma:
        return this.#comma();
      case Action.BeginKey:
        this.#isKey = true;
        return State.Text;
      case Action.EndText: {
        const next = this.#isKey ? State.Colon : State.After;
        this.#isKey = false;
        return next;
      }
      default:
        return BAD;
    }
  }

  #push(kind: number, state: number): number {
    if (this.#depth >= MAX_DEPTH) return BAD;
    this.#open[this.#depth] = kind;
    this.#depth += 1;
    return state;
  }

  #pop(kind: number): number {
    if (this.#depth === 0 || this.#open[this.#depth - 1] !== kind) return BAD;
    this.#depth -= 1;
    return State.After;
  }

  #comma(): number {
    if (this.#depth === 0) return BAD;
    return this.#open[this.#depth - 1] === OBJECT ? State.Key : State.Value;
  }
}

const ARRAY = 1;
const OBJECT = 2;
/** Arrays and objects inside each other. Deeper texts are refused: they overflow the parsers of most runtimes. */
const MAX_DEPTH = 10_000;

const State = {
  Value: 0,
  FirstElement: 1,
  FirstKey: 2,
  Key: 3,
  Colon: 4,
  After: 5,
  Text: 6,
  Escape: 7,
  Hex1: 8,
  Hex2: 9,
  Hex3: 10,
  Hex4: 11,
  Minus: 12,
  Zero: 13,
  Integer: 14,
  Point: 15,
  Fraction: 16,
  Exponent: 17,
  ExponentSign: 18,
  ExponentDigits: 19,
  /** The letters of true, false and null: one state per letter that is still missing. */
  Literals: 20,
} as const;

const FIRST_ACTION = 200;
const Action = {
  OpenArray: 200,
  OpenObject: 201,
  CloseArray: 202,
  CloseObject: 203,
  Comma: 204,
  BeginKey: 205,
  EndText: 206,
} as const;
const BAD = 255;

const literals = ['true', 'false', 'null'];
const stateCount = State.Literals + literals.join('').length - literals.length;
const table = makeTable();
const mayEnd = makeMayEnd();

function makeTable(): Uint8Array {
  const made = new Uint8Array(stateCount * 256).fill(BAD);
  const set = (state: number, bytes: string, next: number): void => {
    for (const byte of Buffer.from(bytes, 'latin1')) made[(state << 8) | byte] = next;
  };
  const digits = '0123456789';
  const hex = `${digits}abcdefABCDEF`;
  for (const state of [State.Value, State.FirstElement]) {
    set(state, '"', State.Text);
    set(state, '[', Action.OpenArray);
    set(state, '{', Action.OpenObject);
    set(state, '-', State.Minus);
    set(state, '123456789', State.Integer);
    set(state, '0', State.Zero);
  }
  set(State.FirstElement, ']', Action.CloseArray);
  set(State.FirstKey, '"', Action.BeginKey);
  set(State.FirstKey, '}', Action.CloseObject);
  set(State.Key, '"', Action.BeginKey);
  set(State.Colon, ':', State.Value);
  for (let byte = 0x20; byte < 256; byte += 1) made[(State.Text << 8) | byte] = State.Text;
  set(State.Text, '"', Action.EndText);
  set(State.Text, '\\', State.Escape);
  set(State.Escape, '"\\/bfnrt', State.Text);
  set(State.Escape, 'u', State.Hex1);
  set(State.Hex1, hex, State.Hex2);
  set(State.Hex2, hex, State.Hex3);
  set(State.Hex3, hex, State.Hex4);
  set(State.Hex4, hex, State.Text);
  for (const state of [State.After, State.Zero, State.Integer, State.Fraction, State.ExponentDigits]) {
    set(state, ' \t\n\r', State.After);
    set(state, ',', Action.Comma);
    set(state, ']', Action.CloseArray);
    set(state, '}', Action.CloseObject);
  }
  set(State.Minus, '123456789', State.Integer);
  set(State.Minus, '0', State.Zero);
  set(State.Integer, digits, State.Integer);
  for (const state of [State.Zero, State.Integer]) set(state, '.', State.Point);
  set(State.Point, digits, State.Fraction);
  set(State.Fraction, digits, State.Fraction);
  for (const state of [State.Zero, State.Integer, State.Fraction]) set(state, 'eE', State.Exponent);
  set(State.Exponent, '+-', State.ExponentSign);
  for (const state of [State.Exponent, State.ExponentSign, State.ExponentDigits])
    set(state, digits, State.ExponentDigits);
  for (const state of [State.Value, State.FirstElement, State.FirstKey, State.Key, State.Colon])
    set(state, ' \t\n\r', state);
  setLiterals(set);
  return made;
}

function setLiterals(set: (state: number, bytes: string, next: number) => void): void {
  let free: number = State.Literals;
  for (const word of literals) {
    for (const state of [State.Value, State.FirstElement]) set(state, word.charAt(0), free);
    for (let at = 1; at < word.length; at += 1) {
      const isLast = at === word.length - 1;
      set(free, word.charAt(at), isLast ? State.After : free + 1);
      free += 1;
    }
  }
}

function makeMayEnd(): readonly boolean[] {
  const ends: readonly number[] = [State.After, State.Zero, State.Integer, State.Fraction, State.ExponentDigits];
  return Array.from({ length: stateCount }, (_, state) => ends.includes(state));
}
