import { afterEach, describe, expect, test } from '@jest/globals';
import { makeFindInterpreter } from '@kappa/local/interpreters';

import { type TestFunction, TestPod } from '../nodejs/testing.ts';

/*
 * What only Ruby has; what all languages share is in runtime-images/cases. Without a Ruby there is nothing to test: a machine of CI has one
 * (cases.test.ts).
 */

const [ruby] = await makeFindInterpreter(process.env['PATH'] ?? '', process.execPath)('ruby');

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

async function claimed(fn: Omit<TestFunction, 'handler'> & { readonly handler?: string }): Promise<TestPod> {
  const pod = await TestPod.start('ruby3.3', ruby?.path ?? 'ruby');
  pods.push(pod);
  await pod.claim({ handler: 'index.handler', ...fn });
  return pod;
}
const source = (body: string) => ({ 'index.rb': `def handler(event:, context:)\n${body}\nend` });
const answer = async (body: string, event: unknown = null): Promise<unknown> =>
  JSON.parse((await (await claimed({ files: source(body) })).invoke(JSON.stringify(event))).text);

test('a machine of CI has it', () => {
  expect(ruby !== undefined || process.env['CI'] === undefined).toBe(true);
});

for (const { version } of ruby === undefined ? [] : [ruby])
  describe(`Ruby ${version}`, () => {
    test.each<[handler: string, file: string, code: string]>([
      ['fn.handler', 'fn.rb', 'def handler(event:, context:) = event'],
      ['lib/fn.handler', 'lib/fn.rb', 'def handler(event:, context:) = event'],
      ['fn.Handler.process', 'fn.rb', 'class Handler; def self.process(event:, context:) = event; end'],
      [
        'fn.App::Handler.process',
        'fn.rb',
        'module App; module Handler; def self.process(event:, context:) = event; end; end',
      ],
    ])('handler %s', async (handler, file, code) => {
      const pod = await claimed({ files: { [file]: code }, handler });
      expect((await pod.invoke('{"n":1}')).text).toBe('{"n":1}');
    });

    test.each<[reason: string, files: Record<string, string>, handler: string, errorType: string, message: RegExp]>([
      ['no file', { 'other.rb': '' }, 'index.handler', 'Init<LoadError>', /^cannot load such file -- index/],
      ['bad syntax', { 'index.rb': 'def (' }, 'index.handler', 'Init<SyntaxError>', /index\.rb/],
      ['the file raises', { 'index.rb': 'raise KeyError, "ü"' }, 'index.handler', 'Init<KeyError>', /^ü$/],
      ['the file exits', { 'index.rb': 'exit 3' }, 'index.handler', 'Init<SystemExit>', /^exit$/],
      [
        'a name without a method',
        { 'index.rb': '' },
        'index',
        'Init<KappaRuntime::Errors::BadHandler>',
        /FILE\.METHOD/,
      ],
    ])('init fails: %s', async (_reason, files, handler, errorType, message) => {
      const { head, text } = await (await claimed({ files, handler })).invoke('{}');
      expect({ kind: head.kind, ...JSON.parse(text) }).toMatchObject({
        kind: 'error',
        errorType,
        stackTrace: expect.any(Array),
      });
      expect(JSON.parse(text).errorMessage).toMatch(message);
    });

    test('errors: the trace begins and ends with the user’s code, and the next call works', async () => {
      const code =
        'class Own < StandardError; end\ndef inner = raise(Own, "mine")\ndef handler(event:, context:)\n  return event unless event == "own"\n  inner\nend';
      const pod = await claimed({ files: { 'index.rb': code } });
      const { text } = await pod.invoke('"own"');
      const body = JSON.parse(text);
      expect(body).toMatchObject({ errorType: 'Function<Own>', errorMessage: 'mine' });
      expect(body.stackTrace).toHaveLength(2);
      expect(body.stackTrace[0]).toMatch(/^\/.*\/index\.rb:2:in /);
      expect(JSON.parse((await pod.invoke('1')).text)).toBe(1);
    });

    test.each<[reason: string, body: string, errorType: string]>([
      ['no such method', 'nil.nothing', 'Function<NoMethodError>'],
      ['exit', 'exit 3', 'Function<SystemExit>'],
      ['no bottom', 'def f = f()\nf', 'Function<SystemStackError>'],
      ['bytes that are no text', 'raise ArgumentError, "\\xff"', 'Function<ArgumentError>'],
      ['an answer that is no JSON', '"\\xff"', 'Function<JSON::GeneratorError>'],
    ])('a call fails: %s', async (_reason, body, errorType) => {
      expect(await answer(body)).toMatchObject({ errorType });
    });

    test('StringIO goes out as it is', async () => {
      const { head, text } = await (
        await claimed({ files: source("require 'stringio'; StringIO.new('as it is')") })
      ).invoke('{}');
      expect([head.contentType, text]).toEqual(['application/unknown', 'as it is']);
    });

    test('gems of the package and of layers are found', async () => {
      const gemspec = (name: string) =>
        `Gem::Specification.new { |s| s.name = '${name}'; s.version = '1.0'; s.summary = s.author = 'x'; s.files = [] }`;
      const gem = (folder: string, name: string) => ({
        [`${folder}/specifications/${name}-1.0.gemspec`]: gemspec(name),
        [`${folder}/gems/${name}-1.0/lib/${name}.rb`]: `${name.toUpperCase()} = '${name}'`,
      });
      const code =
        "require 'own'; require 'shared'; require 'plain'\ndef handler(event:, context:) = [OWN, SHARED, PLAIN]";
      const pod = await claimed({
        files: { 'index.rb': code, ...gem('vendor/bundle/ruby/3.3.0', 'own') },
        layers: [{ ...gem('ruby/gems/3.3.0', 'shared'), 'ruby/lib/plain.rb': "PLAIN = 'plain'" }],
      });
      expect(JSON.parse((await pod.invoke('{}')).text)).toEqual(['own', 'shared', 'plain']);
    });

    test('options of the interpreter work, because a fresh process takes them', async () => {
      const pod = await claimed({
        files: source('[$VERBOSE, ENV["COLOUR"], ENV.key?("KAPPA_OPT_DIR")]'),
        environment: { RUBYOPT: '-W2', COLOUR: 'blü' },
      });
      expect(JSON.parse((await pod.invoke('{}')).text)).toEqual([true, 'blü', false]);
    });

    test('files named like the runtime’s and the language’s own are the user’s', async () => {
      const files = {
        'index.rb': "require 'errors'; require 'json'\ndef handler(event:, context:) = [X, JSON::VERSION.class]",
        'errors.rb': "X = 'mine'",
      };
      for (const environment of [{}, { RUBYOPT: '-W0' }]) {
        const pod = await claimed({ files: { ...files, 'socket.rb': 'raise "loaded by the runtime"' }, environment });
        expect(JSON.parse((await pod.invoke('{}')).text)).toEqual(['mine', 'String']);
      }
    });

    test('the time zone is taken over', async () => {
      const pod = await claimed({ files: source('Time.at(0).hour'), environment: { TZ: 'Asia/Tokyo' } });
      expect((await pod.invoke('{}')).text).toBe('9');
    });

    const logger = `require 'logger'
logger = Logger.new($stdout, progname: 'mine')
logger.debug('not with JSON')
logger.info("text ü")
begin; raise KeyError, 'bad'; rescue => e; logger.error(e); end`;

    test('a logger writes the request id', async () => {
      const pod = await claimed({ files: source(logger) });
      await pod.invoke('{}', { requestId: 'r-1' });
      const log = await pod.stop();
      expect(log).toMatch(/^I, \[\S+ #\d+\] {2}INFO r-1 -- mine: text ü$/m);
      expect(log).toMatch(/^D, .*not with JSON$/m);
      pods.length = 0;
    });

    test('a logger writes JSON, from the level on', async () => {
      const pod = await claimed({ files: source(logger), logFormat: 'JSON' });
      await pod.invoke('{}', { requestId: 'r-1' });
      const lines = (await pod.stop()).split('\n').filter((line) => line.includes('"logger"'));
      pods.length = 0;
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { level: 'INFO', message: 'text ü', logger: 'mine', requestId: 'r-1' },
        { level: 'ERROR', message: 'bad', errorType: 'KeyError', stackTrace: expect.any(Array) },
      ]);
    });
  });
