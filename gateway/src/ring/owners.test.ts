import { expect, test } from '@jest/globals';
import { RingCore } from './core.ts';
import { HotFunctions } from './hot.ts';
import { defaultRingLimits } from './limits.ts';
import { Owners } from './owners.ts';
import { SteadyFunctions } from './steady.ts';
import { fn } from './testing.ts';

const target = fn('f');

/** What a gateway of the first zone thinks among gateways of these zones, all alive; that many owners. */
function start(zones: readonly string[], owners: number) {
  const core = new RingCore('g0.00000001', defaultRingLimits, 0);
  core.setMembers(
    zones.map((zone, at) => ({ name: `g${at}`, ip: '', port: 1, zone, terminating: false })),
    0,
  );
  for (let at = 1; at < zones.length; at += 1) {
    const other = new RingCore(`g${at}.00000001`, defaultRingLimits, 0);
    core.received(other.gatewayId, other.say(0, 0), 0);
  }
  const hot = new HotFunctions(defaultRingLimits);
  const running = new Map([['default/f', (owners - 1) * defaultRingLimits.runningPerOwner]]);
  hot.tick({ running, elsewhere: new Map() }, 0);
  return new Owners(core, hot, new SteadyFunctions(defaultRingLimits));
}

test('the other owners are asked in turn, those of the own zone before all others', () => {
  const owners = start(['a', 'a', 'a', 'b', 'b', 'c'], 6);
  const orders = Array.from({ length: 6 }, () => owners.next(target).others);
  for (const others of orders) {
    expect(others.slice(0, 2).sort()).toEqual(['g1', 'g2']);
    expect(others.slice(2).sort()).toEqual(['g3', 'g4', 'g5']);
  }
  expect(new Set(orders.map(([first]) => first)).size).toBe(2);
  expect(new Set(orders.map(([, , third]) => third)).size).toBe(3);
});

test('calls are counted until they are taken, over changes of the ring too', () => {
  const owners = start(['a', 'b'], 1);
  owners.next(target);
  owners.changed();
  owners.next(target);
  owners.of(target);
  owners.next(fn('reserved', { reservedConcurrency: 1 }));
  owners.next(target);
  owners.discount(target);
  expect(owners.takeCalls()).toEqual(new Map([['default/f', 2]]));
  owners.discount(target);
  expect(owners.takeCalls()).toEqual(new Map());
});
