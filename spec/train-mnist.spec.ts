import { fileURLToPath } from 'node:url';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { first, last } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { dense, page3 } from '../src/models/index.ts';
import { adam, rmsProp } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { cosine, exponential, stepDecay, warmUp, type Schedule } from '../src/schedule.ts';
import { evaluate, train as learn } from '../src/train.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = ['--import', 'tsx', 'scripts/train-mnist.ts', '--no-run'];
const page = ['--model', 'page3', '--impl', 'vectorized'];
const few = ['--data', 'golden/mnist', '--images', '64', '--test-images', '50', '--epochs', '2', ...page];
const run = (...args: string[]) => spawnSync(process.execPath, [...command, ...args], { cwd: root, encoding: 'utf8' });

describe('scripts/train-mnist.ts', () => {
  it('says what it does, epoch by epoch, in plain lines where there is no terminal', () => {
    const { stdout, stderr, status } = run(...few, '--seed', '5');
    expect([stderr, status]).toEqual(['', 0]);
    expect(
      stdout
        .replace(/[\d,]+ images\/s/g, '# images/s')
        .replace(/\d+\.\d s\b/g, '#.# s')
        .split('\n'),
    ).toEqual([
      'cnn-spec trains page3 on the vectorized layers',
      'data      64 of 1,000 images to learn from, 50 of 500 to test on,',
      '          from golden/mnist',
      'model     87,322 parameters: conv1 8×1×3×3, relu, maxPool2d, flatten, fc1 64×1352, relu, fc2 10×64',
      'training  2 epochs, batches of 16, sgd at rate 0.005, seed 5',
      '',
      expect.stringMatching(
        /^epoch 1\/2  loss \d\.\d{3}  accuracy: train \d+\.\d %, test \d+\.\d %  # images\/s  #\.# s$/,
      ),
      expect.stringMatching(
        /^epoch 2\/2  loss \d\.\d{3}  accuracy: train \d+\.\d %, test \d+\.\d %  # images\/s  #\.# s$/,
      ),
      '',
      expect.stringMatching(
        /^test accuracy \d+\.\d % after 2 of 2 epochs( \(best: \d+\.\d % after 1\))?, #\.# s, seed 5$/,
      ),
      '',
    ]);
  });

  it('mnistNet warms up for 300 steps, or an eighth of all where that is less, if nobody says for how many', () => {
    const few = ['--data', 'golden/mnist', '--images', '64', '--test-images', '10', '--batch', '4', '--no-run'];
    expect(run(...few).stdout).toContain('warm-up of 6 steps, seed 0\n'); // of 3·64/4
    expect(run(...few, '--warm-up', '300').stdout).toContain('warm-up of 300 steps, seed 0\n');
  });

  it('--json: one object per epoch on stdout and nothing else; the same seed gives the same numbers', () => {
    const lines = (...more: string[]) => {
      const { stdout, status } = run(...few, '--json', ...more);
      expect(status).toBe(0);
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    };
    const measured = (line: object) => ({ ...line, seconds: expect.any(Number), imagesPerSecond: expect.any(Number) });
    const epochs = lines();
    expect(epochs).toHaveLength(2);
    epochs.forEach((line, i) => {
      expect(Object.keys(line)).toEqual([
        'epoch',
        'trainLoss',
        'trainAccuracy',
        'testLoss',
        'testAccuracy',
        'imagesPerSecond',
        'seconds',
      ]);
      expect(line.epoch).toBe(i + 1);
      expect(line.trainLoss).toBeGreaterThan(0);
      for (const share of [line.trainAccuracy, line.testAccuracy]) expect(share >= 0 && share <= 1).toBe(true);
    });
    expect(lines('--seed', '0')).toEqual(epochs.map(measured));
    expect(lines('--seed', '1')).not.toEqual(epochs.map(measured));
  });

  it('--impl naive and --model dense train too', () => {
    const { stdout, status } = run(
      ...['--data', 'golden/mnist', '--images', '16', '--test-images', '8', '--epochs', '1'],
      ...['--impl', 'naive', '--model', 'dense', '--batch', '8', '--rate', '0.1'],
    );
    expect(status).toBe(0);
    expect(stdout).toContain('cnn-spec trains dense on the naive layers');
    expect(stdout).toContain('after 1 of 1 epoch,');
  });

  it('--impl simd: the engine says how near it is to the reference, and learns the same', () => {
    const { stdout, stderr, status } = run(...few, '--impl', 'simd', '--threads', '3', '--bitwise');
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toMatch(
      /\nengine {4}3 threads, without fused multiply-add; steps 1–3: gradients within \de-[67] of the reference\n/,
    );
    const parameters = initialize(page3, random(0));
    const { train } = mnist(join(root, 'golden/mnist'));
    const options = { epochs: 2, batch: 16, rate: 0.005, seed: 0 };
    const steps = [...learn(implementations.vectorized, page3, parameters, first(64, train), options)];
    const losses = Array.from(stdout.matchAll(/^epoch .* loss ([\d.]+)/gm), ([, loss]) => Number(loss));
    expect(losses).toHaveLength(2);
    [steps[3], steps[7]].forEach(({ loss }, i) => expect(Math.abs(losses[i] - loss)).toBeLessThan(1.5e-3));
  });

  it('--profile: where the time of a step went, layer by layer', () => {
    const { stdout, stderr, status } = run(...few, '--impl', 'simd', '--threads', '1', '--profile');
    expect([stderr, status]).toEqual(['', 0]);
    const [, table] = stdout.split(/\nms of a step +forward +backward\n/);
    expect([...table.matchAll(/^(\w+)(?: +\d+\.\d{3}){1,2}( +\d+\.\d %.*)?$/gm)].map(([, name]) => name)).toEqual(
      ['images', 'conv1', 'fc1', 'fc2', 'loss', 'wait', 'optimizer', 'all'], // relu and pool go with the layer before
    );
  });

  it('an optimizer, a schedule, and the pictures of a CSV file: the first ones to test on, the next ones to learn from', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-train-'));
    try {
      const { train } = mnist(join(root, 'golden/mnist'));
      const line = (n: number) => [train.labels[n], ...train.pixels.subarray(784 * n, 784 * (n + 1))].join(',');
      const file = join(directory, 'digits.csv');
      writeFileSync(file, Array.from({ length: 60 }, (_, n) => line(n)).join('\n'));
      const { stdout, stderr, status } = run(
        ...[
          '--impl',
          'vectorized',
          '--csv',
          file,
          '--images',
          '40',
          '--test-images',
          '20',
          '--epochs',
          '1',
          '--model',
          'dense',
          '--seed',
          '3',
        ],
        ...['--optimizer', 'rmsProp', '--rate', '0.001', '--momentum', '0.5', '--weight-decay', '1e-4'],
        ...['--schedule', 'cosine', '--warm-up', '1'],
      );
      expect([stderr, status]).toEqual(['', 0]);
      expect(stdout).toContain(`40 of 40 images to learn from, 20 of 20 to test on,\n          from ${file}\n`);
      expect(stdout).toContain(
        'training  1 epoch, batches of 16, rmsProp at rate 0.001, momentum 0.5, weight decay 1e-4, cosine schedule, ' +
          'warm-up of 1 step, seed 3\n',
      );
      // the same, put together by hand
      const part = (from: number, count: number) => last(count, first(from + count, train));
      const parameters = initialize(dense, random(3));
      const rate = warmUp(1, cosine(0.001, { steps: 2 }));
      const optimizerOptions = { momentum: 0.5, weightDecay: 1e-4 };
      const options = { epochs: 1, batch: 16, rate, optimizer: rmsProp, optimizerOptions, seed: 3 };
      const steps = [...learn(implementations.vectorized, dense, parameters, part(20, 40), options)];
      const [test] = evaluate(implementations.vectorized, dense, parameters, part(0, 20));
      expect(stdout).toContain(`loss ${steps.at(-1)!.loss.toFixed(3)}`);
      expect(stdout).toContain(`test accuracy ${(100 * test.accuracy).toFixed(1)} %`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each<[string, Schedule]>([
    ['step', stepDecay(0.001, { every: 3, factor: 0.1 })], // 8 steps: a tenth after 3 and after 6
    ['exponential', exponential(0.001, { factor: 0.01 ** (1 / 8) })],
  ])('--schedule %s, at the default rate of adam', (name, rate) => {
    const { stdout } = run(...few, '--model', 'dense', '--optimizer', 'adam', '--schedule', name, '--json');
    const parameters = initialize(dense, random(0));
    const { train } = mnist(join(root, 'golden/mnist'));
    const options = { epochs: 2, batch: 16, rate, optimizer: adam, seed: 0 };
    const steps = [...learn(implementations.vectorized, dense, parameters, first(64, train), options)];
    const losses = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).trainLoss);
    expect(losses).toEqual([steps[3].loss, steps[7].loss]);
  });

  it('--save FILE: what was learned, by the names of PyTorch', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-train-'));
    try {
      const file = join(directory, 'digits.safetensors');
      const { stdout, status } = run(
        ...few,
        '--model',
        'dense',
        '--epochs',
        '2',
        '--seed',
        '4',
        '--save',
        file,
        '--json',
      );
      expect(status).toBe(0);
      const { tensors, metadata } = readSafetensors(file, readFileSync(file));
      const testAccuracy = `${JSON.parse(stdout.trimEnd().split('\n')[1]).testAccuracy}`;
      expect(metadata).toEqual({ model: 'dense', seed: '4', epoch: '2', testAccuracy });
      const { train } = mnist(join(root, 'golden/mnist'));
      const parameters = initialize(dense, random(4));
      const options = { epochs: 2, batch: 16, rate: 0.005, seed: 4 };
      for (const _ of learn(implementations.vectorized, dense, parameters, first(64, train), options));
      expect(tensors).toEqual(parameters);
      expect(readdirSync(directory)).toEqual(['digits.safetensors']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('--help shows every option', () => {
    const { stdout, status } = run('--help');
    expect(status).toBe(0);
    const names = [
      'model',
      'impl',
      'threads',
      'bitwise',
      'seed',
      'epochs',
      'batch',
      'optimizer',
      'rate',
      'momentum',
      'weight-decay',
      'schedule',
    ];
    for (const option of [
      ...names,
      'warm-up',
      'images',
      'test-images',
      'data',
      'format',
      'csv',
      'save',
      'profile',
      'json',
      'help',
    ])
      expect(stdout).toContain(`  --${option} `);
  });

  it('Ctrl-C ends it with a summary', async () => {
    const args = [...command, ...few, '--epochs', '1000'];
    const child = spawn(process.execPath, args, { cwd: root });
    let output = '';
    child.stdout.on('data', (chunk) => {
      const before = output;
      output += chunk;
      if (output.includes('epoch 1/1000') && !before.includes('epoch 1/1000')) child.kill('SIGINT'); // once: a second one kills
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(130);
    expect(output).toMatch(/\nStopped: test accuracy \d+\.\d % after 1 of 1000 epochs, .* s, seed 0\n$/);
  });

  it.each(['vectorized', 'simd'])('a run of %s that diverges is one sentence, and exit code 1', (impl) => {
    const { stdout, stderr, status } = run(...few, '--impl', impl, '--rate', '1e300');
    expect(stderr).toMatch(/^train-mnist: the loss is (NaN|Infinity) in epoch 1, expected a number: rate 1e\+300 is too high\n$/); // prettier-ignore
    expect(stdout).not.toContain('epoch 1/2');
    expect(status).toBe(1);
  });

  it.each([
    [
      ['--modle', 'page3'],
      /^Unknown option '--modle', did you mean --model\? Expected one of --model, --impl, .*, --help$/,
    ],
    [
      ['--model', 'page4'],
      /^--model is "page4", did you mean page3\? Expected one of dense, page3, page3TwoConv, tanhAvg, lenet5, lenet5-1998, mnistNet, cnnWithBn, cifar10Net$/,
    ],
    [['--data', 'golden/mnist', '--model', 'page3'], /^--images is "5000", expected an integer from 1 to 1000$/],
    [['--data', 'nowhere'], /^mnist: there is no directory "nowhere", expected one with train-images-idx3-ubyte, .*$/],
    [
      ['--save', 'nowhere/a.safetensors'],
      /^--save is "nowhere\/a.safetensors", expected a file in a directory that exists$/,
    ],
    [['--save', 'golden'], /^--save is "golden", a directory, expected a file$/],
    [['--csv', 'nowhere.csv'], /^csv: there is no file nowhere.csv, expected one with lines of 785 columns: .*$/],
    [['--csv', 'a.csv', '--data', 'b'], /^--csv a.csv is given beside --data, expected one of them$/],
    [['--format', 'csv'], /^--format is csv without a directory, expected --data DIR$/],
    [
      ['--data', 'golden/mnist', '--format', 'cvs'],
      /^--format is "cvs", did you mean csv\? Expected one of idx, csv, cifar10$/,
    ],
    [['--optimizer', 'adam', '--momentum', '0.9'], /^--momentum is 0.9, expected none: adam has means of its own$/],
    [['--impl', 'vectorized', '--threads', '2'], /^--threads is given for vectorized, expected it with --impl simd$/],
    [['--impl', 'naive', '--profile'], /^--profile is given for naive, expected it with --impl simd$/],
    [['--impl', 'simd', '--threads', '0'], /^--threads is "0", expected an integer from 1 to 64$/],
    [['--optimizer', 'sgd', '--momentum', '1'], /^sgd: momentum is 1, expected a number from 0 to below 1$/],
    [['--warm-up', '1.5'], /^--warm-up is "1.5", expected an integer ≥ 0$/],
    [['--model', 'cifar10Net'], /^the images are 1×28×28, expected 3×32×32 for cifar10Net$/],
  ])('error: %j', (args, message) => {
    const { stdout, stderr, status } = run(...args);
    expect(stderr.trimEnd().replace(/^train-mnist: /, '')).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).not.toContain('epoch');
    expect(status).toBe(2);
  });
});
