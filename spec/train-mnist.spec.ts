import { fileURLToPath } from 'node:url';
import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = ['--import', 'tsx', 'scripts/train-mnist.ts'];
const few = ['--data', 'golden/mnist', '--images', '64', '--test-images', '50', '--epochs', '2'];
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
      expect.stringMatching(/^test accuracy \d+\.\d % after 2 of 2 epochs, #\.# s, seed 5$/),
      '',
    ]);
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

  it('--help shows every option', () => {
    const { stdout, status } = run('--help');
    expect(status).toBe(0);
    for (const option of ['model', 'impl', 'epochs', 'batch', 'rate', 'images', 'test-images', 'data', 'seed', 'json'])
      expect(stdout).toContain(`  --${option} `);
  });

  it('Ctrl-C ends it with a summary', async () => {
    const args = [...command, '--data', 'golden/mnist', '--images', '100', '--test-images', '50', '--epochs', '1000'];
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

  it.each([
    [['--modle', 'page3'], /^Unknown option '--modle', expected one of --model, --impl, .*, --help$/],
    [
      ['--model', 'page4'],
      /^--model is "page4", expected one of dense, page3, page3TwoConv, tanhAvg, lenet5, lenet5-1998, mnistNet, cnnWithBn, cifar10Net$/,
    ],
    [['--data', 'golden/mnist'], /^--images is "5000", expected an integer from 1 to 1000$/],
    [['--data', 'nowhere'], /^mnist: there is no directory "nowhere", expected one with train-images-idx3-ubyte, .*$/],
    [['--data', 'golden'], /^mnist: golden has no train-images-idx3-ubyte, expected it there, plain or .gz$/],
    [['--data', 'package.json'], /^mnist: there is no directory "package.json", expected one with .*$/],
  ])('error: %j', (args, message) => {
    const { stdout, stderr, status } = run(...args);
    expect(stderr.trimEnd().replace(/^train-mnist: /, '')).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).not.toContain('epoch');
    expect(status).toBe(2);
  });
});
