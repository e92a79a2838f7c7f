import { expect, test } from '@jest/globals';
import { parseCommand } from './arguments.ts';

test.each([
  ['defaults', ['up'], { kind: 'up', size: { zones: 3, nodesPerZone: 1 } }],
  ['sizes', ['up', '--zones=2', '--nodes-per-zone', '3'], { kind: 'up', size: { zones: 2, nodesPerZone: 3 } }],
  ['archives', ['load', 'a.tar', 'b.tar'], { kind: 'load', archives: ['a.tar', 'b.tar'] }],
  ['a zone', ['zone', 'down', 'a'], { kind: 'zone', state: 'down', zone: 'a' }],
  ['a node', ['node', 'pause', 'node-a1'], { kind: 'node', action: 'pause', node: 'node-a1' }],
  ['the API server', ['apiserver', 'stop'], { kind: 'apiserver', action: 'stop' }],
  ['two ends', ['net', 'drop', 'a', 'ctl'], { kind: 'net', action: 'drop', a: 'a', b: 'ctl' }],
  ['a command with options', ['exec', '--', 'ls', '--all'], { kind: 'exec', command: ['ls', '--all'] }],
  ['a plain command', ['status'], { kind: 'status' }],
])('reads %s', (_reason, args, command) => expect(parseCommand(args)).toEqual(command));

test.each([
  ['nothing', []],
  ['an unknown command', ['restart']],
  ['an unknown option', ['up', '--nodes', '3']],
  ['no archive', ['load']],
  ['a zone without a state', ['zone', 'zone-a']],
  ['an unknown action', ['node', 'stop', 'node-a1']],
  ['two nodes', ['node', 'kill', 'node-a1', 'node-b1']],
  ['one end', ['net', 'drop', 'a']],
  ['no inner command', ['exec', '--']],
  ['words after a plain command', ['down', 'now']],
])('refuses %s', (_reason, args) => expect(() => parseCommand(args)).toThrow());
