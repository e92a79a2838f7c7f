/**
 * The part of a gateway that fires, as a process of its own that can be killed: `node testing-firing-gateway.ts REDIS-URL START-MS SPEED`.
 * Its clock began at START-MS of the machine's and goes SPEED times as fast. It believes that every schedule is its own.
 */
import { defaultLimits } from '../queue/queue-limits.ts';
import { RedisQueue } from '../queue/redis-queue.ts';
import { patientMs } from '../queue/testing-redis.ts';
import { Scheduler } from './scheduler.ts';
import { testMapping } from './testing.ts';

const [, , url = '', start = '0', speed = '1'] = process.argv;
const store = new RedisQueue(
  { url, password: '', answerWithinMs: patientMs, onProblem: () => undefined },
  defaultLimits,
);
const scheduler = new Scheduler({
  store,
  isReady: () => true,
  knowsAll: () => true,
  isMine: () => true,
  isNewest: async () => true,
  addresseeOf: () => ({ line: 'default/hello', invokedArn: 'arn', accountId: '000000000000' }),
  now: () => Math.floor(Number(start) + (Date.now() - Number(start)) * Number(speed)),
  after: (ms, then) => {
    const timer = setTimeout(then, ms / Number(speed));
    return () => clearTimeout(timer);
  },
  onFired: () => void process.stdout.write('fired\n'),
  onVerdict: () => undefined,
  onProblem: (err) => void process.stderr.write(`${String(err)}\n`),
});
scheduler.set(
  'default/minutely',
  testMapping({ expression: 'rate(1 minute)', missed: 'All' }, { createdMs: Number(start) }),
);
scheduler.start();
