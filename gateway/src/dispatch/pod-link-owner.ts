import type { ServiceException } from '../errors.ts';
import type { LinkError, LogLines } from '../link/link.ts';
import type { Call } from './call.ts';
import type { PodLink } from './pod-link.ts';
import type { WireTools } from './pod-wire.ts';
import type { Slot } from './slot.ts';

/** Whom a pod link tells; and what it is opened with. */
export interface PodLinkOwner extends WireTools {
  /** A pod that another gateway has just claimed is not adopted before so long. */
  readonly readoptMs: number;
  /** The pod is dialled; `dialled` follows. */
  dialling(pod: PodLink): void;
  /** The dial was answered or has failed, and `use` says what came of it. */
  dialled(pod: PodLink): void;
  /** The pod may be claimed; `use` is generic. */
  generic(pod: PodLink): void;
  /** The pod may not be claimed any more. */
  notGeneric(pod: PodLink): void;
  /** The pod holds a version: `claim` is set. The owner calls `hold`, or sets `use` to held or orphan. */
  claimed(pod: PodLink): void;
  /** The slot's pod is another gateway's now; the owner calls `letSlotGo`. */
  taken(slot: Slot<PodLink, Call>): void;
  /** The pod of `slot` is another gateway's now, while something of this one runs there: nothing more is given to it. */
  partlyTaken(slot: Slot<PodLink, Call>): void;
  /** A Foreign slot is free, an Adopting one is this gateway's. */
  freed(slot: Slot<PodLink, Call>): void;
  /** An ADOPT was answered: no for a reason, or yes; the slot is up to date. */
  adoptEnded(pod: PodLink, slot: Slot<PodLink, Call>, refusal: LinkError | null): void;
  /** The slot's pod is lost; its streams have ended before. */
  slotLost(slot: Slot<PodLink, Call>, error: ServiceException, mayRetry: boolean): void;
  /** A pod with a Lost slot was seen again, or has ended. */
  found(slot: Slot<PodLink, Call>): void;
  /** The agent holds the claim of `slot`. @param initError why init has failed there; undefined = it did not, or it goes on */
  confirmed(slot: Slot<PodLink, Call>, initError?: string): void;
  /** The claim of `slot`, which has no request behind it, was refused. */
  claimRefused(slot: Slot<PodLink, Call>, error: LinkError): void;
  /** The idle slot of a pod that is leaving. */
  leaving(slot: Slot<PodLink, Call>): void;
  /** Higher than all before. */
  nextEpoch(): number;
  /** An epoch that another gateway may have made. */
  epochSeen(epoch: number | null | undefined): void;
  /** Lines of the log of the pod's function; `entries` is borrowed. */
  logged(pod: PodLink, lines: LogLines): void;
  /** The heartbeat has changed its mind about the pod. */
  suspected(pod: PodLink): void;
}
