import { createServer, type Server } from 'node:net';
import { LinkError } from '../link/link.ts';
import { PeerSession, type SessionOwner } from './peer-session.ts';

/** What the listener needs. */
export interface ListenerOptions extends Omit<SessionOwner, 'closed'> {
  readonly host: string;
  /** 0 = the system chooses. */
  readonly port: number;
  readonly maxConnections: number;
  readonly handshakeMs: number;
  readonly after: (delayMs: number, call: () => void) => () => void;
  readonly onProblem: (error: LinkError) => void;
}

/** Answers that are written have so long to reach the other gateways when this one ends. */
const FINISH_MS = 1000;

/** Takes connections of other gateways. Bounded, and each must prove itself within `handshakeMs`. */
export class PeerListener {
  readonly #server: Server;
  readonly #sessions = new Set<PeerSession>();
  readonly #after: ListenerOptions['after'];
  /** The port, once it listens; rejects when it cannot. */
  readonly whenListening: Promise<number>;

  constructor(options: ListenerOptions) {
    const { handshakeMs, after, onProblem } = options;
    this.#after = after;
    this.#server = createServer({ noDelay: true }, (socket) => {
      const session: PeerSession = new PeerSession(socket, {
        ...options,
        closed: (_session, error) => {
          late();
          this.#sessions.delete(session);
          if (error.isFatal) onProblem(error);
        },
      });
      this.#sessions.add(session);
      const late = after(handshakeMs, () => {
        if (!session.isOpen) session.close(new LinkError('NoAnswer', 'a peer did not prove itself in time'));
      });
    });
    this.#server.maxConnections = options.maxConnections;
    this.whenListening = new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(options.port, options.host, () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    this.whenListening.catch(() => undefined); // told to whoever asks
  }

  /** Authenticated connections. */
  get openCount(): number {
    return [...this.#sessions].filter(({ isOpen }) => isOpen).length;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.finish();
    const late = this.#after(FINISH_MS, () => {
      for (const session of [...this.#sessions]) session.close(new LinkError('Closed', 'this gateway ends'));
    });
    await closed;
    late();
  }
}
