import type { Principal } from './principal.ts';
import type { SigningSecret } from './signing-keys.ts';

/** Credentials that this install gave out for a while. Never log them. */
export interface Session extends SigningSecret {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  /** Whose they are. @throws LambdaError when those are no more */
  readonly principal: () => Principal;
}

/** Finds session credentials by their token. */
export interface Sessions {
  /** Also one whose time is over; undefined = no gateway of this install made this token. */
  find(token: string): Session | undefined;
}
