/**
 * Calls one pod over the agent's link, from the network namespace that this process was started in. Reads lines from its standard input: first one
 * JSON object {@link LinkTarget}, then a number of calls per line, and answers each with one line, the calls' microseconds as JSON.
 */
import { createPrivateKey } from 'node:crypto';
import { createInterface } from 'node:readline';
import { AgentLink } from '../agent-link.ts';

/** The pod to call. */
export interface LinkTarget {
  readonly host: string;
  readonly podUid: string;
  /** Private key of the install's gateways, PEM. */
  readonly signingKey: string;
  /** Text of `index.mjs`. */
  readonly source: string;
}

let link: AgentLink | null = null;
for await (const line of createInterface({ input: process.stdin })) {
  if (link === null) {
    const { host, podUid, signingKey, source } = JSON.parse(line) as LinkTarget;
    link = await AgentLink.open(host, podUid, createPrivateKey(signingKey), source);
    console.log('[]');
  } else console.log(JSON.stringify(await link.latenciesUs(Number(line))));
}
link?.close();
