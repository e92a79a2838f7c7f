/* A process that puts events into a SQLite queue, eight at a time, and says the id of each that was acknowledged, until it is killed. */
import { defaultLimits } from './queue-limits.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import { asyncEvent } from './testing.ts';

const queue = new SqliteQueue(process.argv[2] ?? '', defaultLimits);

async function putOn(): Promise<void> {
  for (;;) {
    const event = asyncEvent({ payload: Buffer.alloc(2000) });
    await queue.put(event);
    process.stdout.write(`${event.id}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, putOn));
