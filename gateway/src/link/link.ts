/*
 * The door of the link: what a gateway needs to talk to the agent of a pod. `dial` opens one; a Connection carries
 * claims and invocations. The frame table is runtime-images/link/frames.yaml, the exchanges are in docs/internals.md.
 */
export type { Connection, PodConnection } from './connection.ts';
export { type DialBudget, type DialOwner, defaultDialBudget, dial } from './dial.ts';
export type { Identity } from './handshake.ts';
export type { Pulse } from './heartbeat.ts';
export type { Credit } from './inflow.ts';
export { LinkError } from './link-error.ts';
export type { Holder, LogLines, PodState, ReportBody, ResponseHead, Welcome } from './messages.ts';
export type { ClaimSink, InvokeSink, StreamSink } from './streams.ts';
