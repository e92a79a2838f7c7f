/** The generated table (`generated/lambda-model.json`) as it is written: names and bounds of AWS's service model, nothing else. */
export interface ModelTable {
  readonly operations: Readonly<Record<string, OperationRow>>;
  readonly shapes: Readonly<Record<string, ShapeRow>>;
  readonly exceptions: Readonly<Record<string, ExceptionRow>>;
}

/** One operation. */
export interface OperationRow {
  readonly method: string;
  /** Path with `{Label}`s, and query constants behind a question mark where two operations share a path. */
  readonly path: string;
  /** HTTP status of success. */
  readonly status: number;
  readonly input: string;
  readonly output?: string;
  /** Names of the exceptions that it declares. */
  readonly errors: readonly string[];
}

/** One shape. Bounds, patterns, enums, `required` and `sensitive` are kept only where a request can reach it. */
export interface ShapeRow {
  readonly type:
    | 'structure'
    | 'list'
    | 'map'
    | 'string'
    | 'integer'
    | 'long'
    | 'double'
    | 'boolean'
    | 'blob'
    | 'timestamp';
  /** Characters, entries, bytes or value, by type. */
  readonly min?: number;
  readonly max?: number;
  /** Java regular expression, to be matched by the whole value. */
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** Never shown in an error. */
  readonly sensitive?: true;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, MemberRow>>;
  /** Name of the member that is the whole body. */
  readonly payload?: string;
  readonly eventstream?: true;
  /** Shape of the entries of a list. */
  readonly member?: string;
  readonly key?: string;
  readonly value?: string;
}

/** A member of a structure: its shape's name alone, or with where it travels and under which name. */
export type MemberRow =
  | string
  | { readonly shape: string; readonly in: 'uri' | 'querystring' | 'header' | 'statusCode'; readonly name?: string };

/** One exception. */
export interface ExceptionRow {
  readonly status: number;
  /** The letter case differs by exception. */
  readonly message: 'message' | 'Message';
  /** True where AWS blames the caller. */
  readonly sender: boolean;
  /** Members besides `Type` and the message: name → header that carries it, or null for the body. */
  readonly more?: Readonly<Record<string, string | null>>;
}
