/*
 * The door of the link: what a gateway needs to talk to the agent of a pod. `dial` opens one; a Connection carries
 * claims and invocations. The frame table is runtime-images/link/frames.yaml, the exchanges are in docs/internals.md.
 */
export { type Address, type ClaimSink, Connection, type ConnectionOwner, type InvokeSink } from './connection.ts';
export { type Clock, type DialBudget, type DialOwner, defaultDialBudget, dial } from './dial.ts';
export type { Identity } from './handshake.ts';
export { LinkError, type LinkErrorCode } from './link-error.ts';
export type { ReportBody, ResponseHead, Welcome } from './messages.ts';
