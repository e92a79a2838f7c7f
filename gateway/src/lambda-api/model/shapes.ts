/** The type of a value, its bounds included. Bounds are undefined where there is none, or where only answers have it. */
export type Shape = StructureShape | ListShape | MapShape | StringShape | NumberShape | PlainShape;

interface CommonShape {
  /** Name in the model. */
  readonly name: string;
  /** Its value must not be shown in an error. */
  readonly isSensitive: boolean;
  /** Characters, entries, bytes or value, by kind; inclusive. */
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** An object with known members. */
export interface StructureShape extends CommonShape {
  readonly kind: 'structure';
  readonly members: readonly Member[];
  /** The member that is the whole body, if any. */
  readonly payload: Member | null;
  /** It is a stream of events, not one body. */
  readonly isEventStream: boolean;
}

/** A member of a structure. */
export interface Member {
  readonly name: string;
  /** As AWS's errors name it: first letter lower case (`kMSKeyArn`). */
  readonly label: string;
  readonly shape: Shape;
  readonly location: 'body' | 'uri' | 'querystring' | 'header' | 'statusCode';
  /** Its name in the body, path template, query or header; headers in lower case. */
  readonly wireName: string;
  readonly isRequired: boolean;
}

/** A list. */
export interface ListShape extends CommonShape {
  readonly kind: 'list';
  readonly member: Shape;
}

/** An object with any keys. */
export interface MapShape extends CommonShape {
  readonly kind: 'map';
  readonly key: Shape;
  readonly value: Shape;
}

/** A text. */
export interface StringShape extends CommonShape {
  readonly kind: 'string';
  /** `source` as AWS writes it in errors. */
  readonly pattern: { readonly source: string; readonly regExp: RegExp } | null;
  readonly values: ReadonlySet<string> | null;
}

/** A number; `integer` has 32 bits, `long` 64. */
export interface NumberShape extends CommonShape {
  readonly kind: 'integer' | 'long' | 'double';
}

/** What needs no more than its kind. */
export interface PlainShape extends CommonShape {
  readonly kind: 'boolean' | 'blob' | 'timestamp';
}
