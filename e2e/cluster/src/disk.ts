import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Settings } from './settings.ts';

/** Disk space of a running cluster with Kappa's images, and of a first build with Go's caches; GiB, measured and rounded up. */
const runGiB = 8;
const buildGiB = 14;

/** One place on disk and what is still to be written there. */
interface DiskNeed {
  readonly what: string;
  readonly device: number;
  readonly freeBytes: number;
  readonly neededGiB: number;
}

/** Sentences about file systems with too little room; places on the same one share it. */
export function listShortages(needs: readonly DiskNeed[]): readonly string[] {
  return [...new Set(needs.map(({ device }) => device))].flatMap((device) => {
    const here = needs.filter((need) => need.device === device);
    const neededGiB = here.reduce((sum, need) => sum + need.neededGiB, 0);
    const freeGiB = (here[0]?.freeBytes ?? 0) / 2 ** 30;
    if (freeGiB >= neededGiB) return [];
    return [
      `${here.map(({ what }) => what).join(' and ')} need ${neededGiB} GiB of disk, ${freeGiB.toFixed(1)} are free`,
    ];
  });
}

/** What the two directories will take: less once the programs are built. */
export function diskNeeds({ cacheDir, runDir }: Pick<Settings, 'cacheDir' | 'runDir'>): readonly DiskNeed[] {
  const isBuilt = existsSync(cacheDir) && readdirSync(cacheDir).some((name) => /^kube-[0-9a-f]+$/.test(name));
  const place = (what: string, path: string, neededGiB: number): DiskNeed => {
    const existing = nearest(path);
    const { bavail, bsize } = statfsSync(existing);
    return { what, device: statSync(existing).dev, freeBytes: bavail * bsize, neededGiB };
  };
  return [
    place(`nodes in ${runDir}`, runDir, runGiB),
    ...(isBuilt ? [] : [place(`builds in ${cacheDir}`, cacheDir, buildGiB)]),
  ];
}

function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}
