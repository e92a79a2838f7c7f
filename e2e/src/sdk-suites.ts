import { join } from 'node:path';
import type { CaseAccount } from './case-accounts.ts';
import { declaredTests, runSuite, type SuiteRun } from './foreign-suite.ts';
import { scenarioNames } from './lambda-cases.ts';
import { providePythonPackages } from './python-packages.ts';

/** Where the platform is in what state: then these tests of a suite are run. */
export type Situation = 'usual' | 'withoutApiServer' | 'lateClock';

/** The tests of an SDK in its own language. */
export interface SdkSuite {
  /** Names of the tests of a situation. */
  tests(situation: Situation): readonly string[];
  /** Runs them to their end. */
  run(situation: Situation, account: CaseAccount): Promise<SuiteRun>;
}

const python = join(import.meta.dirname, '../boto3');
const modules: Readonly<Record<Situation, readonly string[]>> = {
  usual: ['test_cases', 'test_client'],
  withoutApiServer: ['test_without_api_server'],
  lateClock: ['test_clock'],
};

/** boto3, by unittest. */
export const boto3Suite: SdkSuite = {
  tests: (situation) =>
    modules[situation].flatMap((module) => {
      if (module === 'test_cases') return scenarioNames.map((name) => `test_cases.Cases.test_${name}`);
      let group = '';
      return declaredTests(python, new RegExp(`^${module}.py$`), /^(class \w+| {4}def test_\w+)/gm).flatMap((line) => {
        if (!line.startsWith('class ')) return [`${module}.${group}.${line.trim().slice('def '.length)}`];
        group = line.slice('class '.length);
        return [];
      });
    }),
  run: (situation, account) => {
    const env = { ...account.environment, PYTHONPATH: providePythonPackages('boto3'), PYTHONDONTWRITEBYTECODE: '1' };
    return runSuite({ folder: python, command: ['python3', 'report.py', ...modules[situation]] }, env);
  },
};

const go = join(import.meta.dirname, '../go-sdk');
const patterns: Readonly<Record<Situation, RegExp>> = {
  usual: /^Test(?!Main|WithoutAPIServer|Clock)/,
  withoutApiServer: /^TestWithoutAPIServer/,
  lateClock: /^TestClock/,
};

/** The SDK for Go, by `go test`. */
export const goSuite: SdkSuite = {
  tests: (situation) =>
    goTests(situation).flatMap((name) =>
      name === 'TestCases' ? scenarioNames.map((scenario) => `TestCases/${scenario}`) : [name],
    ),
  run: (situation, account) => {
    const only = `^(${goTests(situation).join('|')})$`;
    return runSuite(
      { folder: go, command: ['go', 'test', '-json', '-count=1', '-timeout=240s', '-run', only] },
      account.environment,
    );
  },
};

function goTests(situation: Situation): readonly string[] {
  const declared = declaredTests(go, /_test\.go$/, /^func (Test\w+)\(t \*testing\.T\)/gm);
  return declared.filter((name) => patterns[situation].test(name));
}
