/**
 * Adds up the counts of every test runner in a log and ends with a short list of what failed, tries that were played again too, and one line
 * `N passed, N failed`.
 *
 * Usage: `node .ci/summary.ts LOG FAILED_STEPS`. Exits 1 when a test or a step failed, or when no test ran.
 */
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { failuresIn, tell } from './failures.ts';
import { playedAgainPattern } from './played-again.ts';

const [logFile, failedStepsText] = process.argv.slice(2);
const log = stripVTControlCharacters(readFileSync(logFile ?? '', 'utf8'));
const failedSteps = Number(failedStepsText);

const count = (pattern: RegExp): number =>
  [...log.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1] ?? 1), 0);

// Jest: "Tests:       1 failed, 12 passed, 13 total"; go test: "ok  pkg 0.1s" / "FAIL pkg"; unittest: "Ran 12 tests", "failures=1".
const passedByJest = count(/^Tests:.*?(\d+) passed/gm);
const failedByJest = count(/^Tests:\s+(\d+) failed/gm);
const goPackagesPassed = count(/^ok {2}\t/gm);
const goPackagesFailed = count(/^FAIL\t/gm);
const ranByPython = count(/^Ran (\d+) tests? in/gm);
const failedByPython = count(/^FAILED \(.*?failures=(\d+)/gm) + count(/^FAILED \(.*?errors=(\d+)/gm);

// Tests of files that were played again are in two counts of Jest's: the later one is valid.
const again = log.split(/\r?\n/).map((line) => playedAgainPattern.exec(line) ?? []);
const failedBefore = again.reduce((sum, [, failed]) => sum + Number(failed ?? 0), 0);
const passedBefore = again.reduce((sum, [, , passed]) => sum + Number(passed ?? 0), 0);

const failed = failedByJest - failedBefore + goPackagesFailed + failedByPython;
const passed = passedByJest - passedBefore + goPackagesPassed + ranByPython - failedByPython;
const brokenSteps = failed === 0 ? failedSteps : 0; // a step that failed without a failed test: lint, build, a runner that died
const failures = failuresIn(log);
for (const line of tell(failures)) console.log(line);
const retried = failures.filter(({ isFinal }) => !isFinal).length;
if (retried > 0) console.log(`${retried} failed tries, of tests that were played again`);
console.log(`${passed} passed, ${failed + brokenSteps} failed`);
process.exitCode = failed + brokenSteps > 0 || passed === 0 ? 1 : 0;
