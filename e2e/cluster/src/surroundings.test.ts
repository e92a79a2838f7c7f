import { describe, expect, test } from '@jest/globals';
import { parseCgroupMounts } from './cgroups.ts';
import { parseZones } from './given-cluster.ts';
import { parseCapabilities } from './requirements.ts';
import { parseSettings } from './settings.ts';

describe('parseCgroupMounts', () => {
  const old = 'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n';
  const oldPaths = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/pids'];

  test('one hierarchy', () => {
    const mounts = parseCgroupMounts('proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n');
    expect(mounts).toEqual({ isUnified: true, paths: ['/sys/fs/cgroup'], everyPath: ['/sys/fs/cgroup'] });
  });

  test('one for each controller', () => {
    expect(parseCgroupMounts(old)).toEqual({ isUnified: false, paths: oldPaths, everyPath: oldPaths });
  });

  test('both: the old ones are in use, the new one is only cleaned', () => {
    const mounts = parseCgroupMounts(`${old}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n`);
    expect(mounts.isUnified).toBe(false);
    expect(mounts.paths).toEqual(oldPaths);
    expect(mounts.everyPath).toEqual([...oldPaths, '/sys/fs/cgroup/unified']);
  });
});

test('capabilities are the effective ones', () => {
  const status = 'CapInh:\t0000000000000000\nCapPrm:\t0000000000000001\nCapEff:\t0000000000200020\n';
  expect(parseCapabilities(status)).toBe(0x200020n);
});

test('nodes of a given cluster are grouped by zone, also those without one', () => {
  expect(parseZones('a n1\na n2\nb n3\n n4\n')).toEqual(
    new Map([
      ['a', ['n1', 'n2']],
      ['b', ['n3']],
      ['', ['n4']],
    ]),
  );
});

describe('parseSettings', () => {
  test('keeps builds in the user’s cache by default', () => {
    const settings = parseSettings({}, '/home/me');
    expect(settings).toEqual({
      cacheDir: '/home/me/.cache/kappa-cluster',
      runDir: '/var/lib/kappa-cluster',
      givenKubeconfig: null,
      givenInside: [],
      givenInternetAddress: null,
      givenLoadCommand: null,
    });
  });

  test('takes the directories and the cluster it is given', () => {
    const environment = {
      XDG_CACHE_HOME: '/cache',
      KAPPA_CLUSTER_DIR: '/run/k',
      KAPPA_E2E_KUBECONFIG: '/kind',
      KAPPA_E2E_INSIDE: 'nsenter -t 1 --net --',
      KAPPA_E2E_INTERNET_ADDRESS: '172.18.0.2',
      KAPPA_E2E_LOAD: 'kind load image-archive',
    };
    expect(parseSettings(environment, '/home/me')).toEqual({
      cacheDir: '/cache/kappa-cluster',
      runDir: '/run/k',
      givenKubeconfig: '/kind',
      givenInside: ['nsenter', '-t', '1', '--net', '--'],
      givenInternetAddress: '172.18.0.2',
      givenLoadCommand: ['kind', 'load', 'image-archive'],
    });
  });
});
