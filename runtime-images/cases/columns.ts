import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFindInterpreter } from '@kappa/local/interpreters';
import { findLocalRuntimes, readRuntimes } from '@kappa/local/runtimes';

import { makeZip, type TestFiles } from '../nodejs/zip.ts';
import { compileCsharp } from './dotnet.ts';
import { compileJava } from './java.ts';

const run = promisify(execFile);
const images = join(import.meta.dirname, '..');
const functions = join(import.meta.dirname, 'functions');
const source = (path: string): string => readFileSync(join(functions, path), 'utf8');

/** A runtime with a function in its language that does what the cases ask for. */
export interface Column {
  /** Heading of its column in docs/runtimes.md. */
  readonly title: string;
  /** Runtimes of the table that may stand for it, in order of preference; one is tried, the first that this machine has itself. */
  readonly runtimes: readonly string[];
  readonly handler: string;
  /** The function's package, built now if it must be. */
  readonly makeFiles: () => Promise<TestFiles>;
  /** A layer that brings the text `from a layer` in the language's own way. */
  readonly makeLayer: () => Promise<TestFiles>;
  /** Variables with folders of layers that only this language looks into. */
  readonly layerFolders?: Readonly<Record<string, string>>;
  /** errorType of an error of the function's own type. */
  readonly thrown: string;
  /** Member of errors with the stack trace; null = there is none. */
  readonly trace: string | null;
  /** What a module says that fails while it is loaded. */
  readonly initError: { readonly errorType: string; readonly message: RegExp };
  /** A harmless variable that a running process cannot take over; null = each function starts its own process. */
  readonly fresh: { readonly name: string; readonly value: string } | null;
  /** Names that the environment has beyond what all have. */
  readonly environment: readonly string[];
  /** Calls of the long row; fewer where each starts a process. */
  readonly calls: number;
}

const greet = '#!/bin/sh\necho from a layer\n';
const oneFile = (path: string) => async () => ({ [path.split('/').at(-1) ?? path]: source(path) });

/** The columns of docs/runtimes.md. */
export const columns: readonly Column[] = [
  {
    title: 'Node.js',
    runtimes: ['nodejs24.x', 'nodejs26.x', 'nodejs22.x'],
    handler: 'index.handler',
    makeFiles: oneFile('nodejs/index.mjs'),
    makeLayer: async () => ({ 'nodejs/node_modules/greeting/index.js': "module.exports = 'from a layer';" }),
    layerFolders: { NODE_PATH: 'nodejs/node_modules' },
    thrown: 'OwnError',
    trace: 'trace',
    initError: { errorType: 'RangeError', message: /^not today$/ },
    fresh: { name: 'NODE_OPTIONS', value: '--no-warnings' },
    environment: ['AWS_EXECUTION_ENV', 'NODE_PATH'],
    calls: 1_000,
  },
  {
    title: 'Python',
    runtimes: ['python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3.9'],
    handler: 'index.handler',
    makeFiles: oneFile('python/index.py'),
    makeLayer: async () => ({ 'python/greeting.py': "TEXT = 'from a layer'\n" }),
    thrown: 'OwnError',
    trace: 'stackTrace',
    initError: { errorType: 'ValueError', message: /^not today$/ },
    fresh: { name: 'PYTHONHASHSEED', value: '0' },
    environment: ['AWS_EXECUTION_ENV', 'PYTHONPATH'],
    calls: 1_000,
  },
  {
    title: 'Ruby',
    runtimes: ['ruby3.4', 'ruby3.3'],
    handler: 'index.Cases.handler',
    makeFiles: oneFile('ruby/index.rb'),
    makeLayer: async () => ({ 'ruby/lib/greeting.rb': "GREETING = 'from a layer'\n" }),
    layerFolders: { RUBYLIB: 'ruby/lib' },
    thrown: 'Function<OwnError>',
    trace: 'stackTrace',
    initError: { errorType: 'Init<ArgumentError>', message: /^not today$/ },
    fresh: { name: 'RUBYOPT', value: '-W0' },
    environment: ['AWS_EXECUTION_ENV', 'GEM_HOME', 'GEM_PATH', 'RUBYLIB'],
    calls: 1_000,
  },
  {
    title: 'Java (AWS’s client)',
    runtimes: ['java25', 'java21', 'java17'],
    handler: 'Cases',
    makeFiles: () => compileJava('java/Cases.java'),
    makeLayer: async () => ({ 'java/lib/greeting.jar': makeZip(await compileJava('java/Greeting.java')) }),
    thrown: 'Cases$OwnError',
    trace: 'stackTrace',
    initError: { errorType: 'java.lang.IllegalStateException', message: /^not today$/ },
    fresh: { name: 'JAVA_TOOL_OPTIONS', value: '-Dmine=works' },
    environment: ['AWS_EXECUTION_ENV'],
    calls: 1_000,
  },
  {
    title: '.NET',
    runtimes: ['dotnet8', 'dotnet10'],
    handler: 'Cases::Cases.Function::Handle',
    makeFiles: () => compileCsharp('Cases'),
    makeLayer: async () => ({ 'bin/greet': greet }),
    thrown: 'OwnError',
    trace: 'stackTrace',
    initError: { errorType: 'TargetInvocationException', message: /^Exception has been thrown by the target/ },
    fresh: { name: 'DOTNET_TieredPGO', value: '0' },
    environment: ['AWS_EXECUTION_ENV'],
    calls: 1_000,
  },
  {
    title: 'Go (aws-lambda-go)',
    runtimes: ['provided.al2023'],
    handler: 'any',
    makeFiles: buildGo,
    makeLayer: async () => ({ 'bin/greet': greet }),
    thrown: 'OwnError',
    trace: null,
    initError: { errorType: 'Runtime.ExitError', message: /Error: Runtime exited with error: exit status 2$/ },
    fresh: null,
    environment: [],
    calls: 1_000,
  },
  {
    title: 'Shell',
    runtimes: ['provided.al2023'],
    handler: 'any',
    makeFiles: oneFile('shell/bootstrap'),
    makeLayer: async () => ({ 'bin/greet': greet }),
    thrown: 'OwnError',
    trace: null,
    initError: { errorType: 'Own.InitError', message: /^not today$/ },
    fresh: null,
    environment: [],
    calls: 100,
  },
];

/** A column and how this machine runs it. */
export interface LocalColumn extends Column {
  readonly runtime: string;
  /** Null when the function brings its runtime. */
  readonly interpreter: string | null;
  readonly version: string;
}

/** The columns that this machine can run; exact versions of the languages go before stand-ins. */
export async function localColumns(): Promise<readonly LocalColumn[]> {
  const find = makeFindInterpreter(process.env['PATH'] ?? '', process.execPath);
  const here = await findLocalRuntimes(readRuntimes(images), find);
  return columns.flatMap((column) => {
    const candidates = column.runtimes.flatMap((id) => here.filter(({ entry }) => entry.id === id));
    const chosen = candidates.find(({ isExact }) => isExact) ?? candidates.at(-1);
    if (chosen === undefined) return [];
    const { entry, interpreter } = chosen;
    return [
      { ...column, runtime: entry.id, interpreter: interpreter?.path ?? null, version: interpreter?.version ?? '' },
    ];
  });
}

/** The function in Go as Lambda's users build it: static, official client unmodified. */
async function buildGo(): Promise<TestFiles> {
  const folder = join(images, '../.cache/cases');
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'bootstrap');
  const env = { HOME: homedir(), ...process.env, CGO_ENABLED: '0' };
  await run('go', ['build', '-trimpath', '-tags', 'lambda.norpc', '-o', program, '.'], {
    cwd: join(functions, 'go'),
    env,
  });
  return { bootstrap: readFileSync(program) };
}
