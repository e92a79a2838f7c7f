import { ServerResponse } from 'node:http';

/*
 * Loaded before everything else (`node --import`), it makes a process live 20 minutes in the past: as on a machine whose clock is late.
 * Node.js takes `Date` of its answers from its own copy of the clock, so that one is set here, too.
 */

const lateMs = 20 * 60_000;
const real = Date;
const now = () => real.now() - lateMs;

globalThis.Date = new Proxy(real, {
  construct: (target, args, caller) => Reflect.construct(target, args.length === 0 ? [now()] : args, caller),
  apply: () => new real(now()).toString(),
  get: (target, member) => (member === 'now' ? now : Reflect.get(target, member)),
});

const { writeHead } = ServerResponse.prototype;
ServerResponse.prototype.writeHead = function (this: ServerResponse, ...args: unknown[]) {
  this.setHeader('Date', new Date().toUTCString());
  return Reflect.apply(writeHead, this, args);
};
