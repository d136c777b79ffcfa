import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { drawMaps, gridOf, viridis } from '../scripts/drawMaps.ts';
import { readPicture, writePicture } from '../scripts/picture.ts';
import { digitOf } from '../src/data/digitOf.ts';
import { invert, toBatch } from '../src/data/image.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { dense, mnistNet } from '../src/models/index.ts';
import type { Model, Parameters } from '../src/network.ts';
import { random } from '../src/random.ts';
import { writeSafetensors } from '../src/safetensors.ts';
import { get, tensor, zeros, type Tensor } from '../src/tensor.ts';
import { inputOf } from '../src/train.ts';
import { eighths } from './arbitraries.ts';
import { expectPicture, pictureOf } from './pictures.ts';

it('golden: viridis as matplotlib has it', () => {
  expect(viridis).toHaveLength(256);
  expect([0, 32, 64, 96, 128, 160, 192, 224, 255].map((i) => viridis[i])).toEqual([
    [68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98],
    [173, 220, 48], [253, 231, 37],
  ]); // prettier-ignore
});

it.each([
  [32, [4, 8]],
  [1, [1, 1]],
  [2, [1, 2]],
  [3, [2, 2]],
  [6, [2, 3]],
  [8, [2, 4]],
  [10, [3, 4]], // 2 rows of 5 would be too long
  [16, [4, 4]],
  [64, [8, 8]],
  [13, [4, 4]],
])('%i maps are %j rows and columns', (count, grid) => {
  expect(gridOf(count)).toEqual(grid);
});

describe('drawMaps', () => {
  const white = [255, 255, 255];
  const at = ({ width, pixels }: { width: number; pixels: Uint8Array }, row: number, column: number) => [
    ...pixels.subarray((row * width + column) * 3, (row * width + column) * 3 + 3),
  ];

  it('golden: two maps of 1×2, each from its own minimum to its own maximum', () => {
    const picture = drawMaps(tensor([[[[-4, 4]], [[1000, 999]]]]));
    const side = Math.floor((1200 - 3 * 8) / 4); // 294: four squares and three gaps in a row
    expect([picture.height, picture.width, picture.channels]).toEqual([side + 16, 4 * side + 24, 3]);
    const row = (pixel: number) => at(picture, 8 + 100, pixel);
    expect([7, 8, 8 + side - 1, 8 + side, 8 + 2 * side - 1].map(row)).toEqual([white, viridis[0], viridis[0], viridis[255], viridis[255]]); // prettier-ignore
    expect([8 + 2 * side, 15 + 2 * side, 16 + 2 * side, 16 + 3 * side].map(row)).toEqual([white, white, viridis[255], viridis[0]]); // prettier-ignore
    expect([7, 8, side + 7, side + 8].map((pixel) => at(picture, pixel, 20))).toEqual([white, viridis[0], viridis[0], white]); // prettier-ignore
  });

  it('golden: a quarter of the way is colour 64, and 3/4 is 192; a map of equal numbers is dark', () => {
    const picture = drawMaps(tensor([[[[0, 1, 3, 4]], [[5, 5, 5, 5]]]]));
    const side = Math.floor((1200 - 24) / 8);
    expect([0, 1, 2, 3].map((k) => at(picture, 20, 8 + k * side))).toEqual([0, 64, 192, 255].map((i) => viridis[i]));
    expect(at(picture, 20, 16 + 6 * side)).toEqual(viridis[0]);
  });

  it("the document's 32 maps of 28×28 are 1192×600 pixels; 128 of 80×80 need more", () => {
    const { height, width } = drawMaps(zeros([1, 32, 28, 28]));
    expect([height, width]).toEqual([600, 1192]);
    expect(drawMaps(zeros([1, 128, 80, 80])).height).toBe(8 * 88 + 8);
  });

  it('every number is a square of one colour, in its row and column of its map in the grid', () => {
    const size = fc.integer({ min: 1, max: 5 });
    const maps = fc.tuple(fc.integer({ min: 1, max: 7 }), size, size).chain(([C, H, W]) => eighths([1, C, H, W]));
    fc.assert(
      fc.property(maps, (maps: Tensor) => {
        const [, C, H, W] = maps.shape;
        const [rows, columns] = gridOf(C);
        const picture = drawMaps(maps);
        const side = (picture.width - (columns + 1) * 8) / (columns * W);
        expect(Number.isInteger(side)).toBe(true);
        expect(picture.height).toBe(rows * (H * side + 8) + 8);
        let inked = 0;
        for (let c = 0; c < C; c++) {
          const values = [...maps.data.subarray(c * H * W, (c + 1) * H * W)];
          const [least, most] = [Math.min(...values), Math.max(...values)];
          for (let h = 0; h < H; h++)
            for (let w = 0; w < W; w++) {
              const share = most > least ? (get(maps, 0, c, h, w) - least) / (most - least) : 0;
              const colour = viridis[Math.min(255, Math.floor(share * 256))];
              const [top, left] = [8 + Math.floor(c / columns) * (H * side + 8), 8 + (c % columns) * (W * side + 8)];
              for (const [down, right] of [
                [0, 0],
                [side - 1, side - 1],
                [0, side - 1],
              ])
                // prettier-ignore
                expect(at(picture, top + h * side + down, left + w * side + right)).toEqual(colour);
              inked += side * side;
            }
        }
        let whites = 0;
        for (let i = 0; i < picture.pixels.length; i += 3)
          if (picture.pixels[i] === 255 && picture.pixels[i + 1] === 255 && picture.pixels[i + 2] === 255) whites++;
        expect(whites).toBe(picture.height * picture.width - inked); // viridis has no white
      }),
      { numRuns: 20 },
    );
  });

  it.each<[string, Tensor]>([
    ['drawMaps: maps has shape (2, 1, 1, 1), expected (1, C, H, W)', zeros([2, 1, 1, 1])],
    ['drawMaps: maps has NaN, expected finite numbers', tensor([[[[1, NaN]]]])],
  ])('error: %s', (message, maps) => {
    expect(() => drawMaps(maps)).toThrow(new RangeError(message));
  });
});

describe('scripts/feature-maps.ts', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-maps-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const at = (name: string) => join(directory, name);
  const run = (...args: string[]) => {
    const command = ['--import', 'tsx', 'scripts/feature-maps.ts', ...args];
    const { stdout, stderr, status } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
    return { stdout, stderr, status };
  };
  const save = (model: Model, tensors: Parameters) => {
    writeFileSync(at(`${model.name}.safetensors`), writeSafetensors({ tensors, metadata: { model: model.name } }));
    return at(`${model.name}.safetensors`);
  };
  const digit = invert(pictureOf(mnist(join(root, 'golden/mnist')).test, 0));

  it('draws conv1 of MNISTNet after its relu, as the document does, and any other layer', async () => {
    const parameters = initialize(mnistNet, random(0));
    const model = save(mnistNet, parameters);
    await writePicture(at('7.png'), digit);
    expect(run(at('7.png'), '--model', model, '--out', at('maps.png'))).toEqual({
      stdout: `32 maps of 28×28 after conv1 and relu1 of mnistNet, in 4 rows of 8\n${at('maps.png')}  1192×600 pixels\n`,
      stderr: '',
      status: 0,
    });
    const { conv2d, relu, maxPool2d } = implementations.naive;
    const x = inputOf(mnistNet, toBatch(digitOf(digit)));
    const maps = relu(conv2d(x, parameters['conv1.weight'], parameters['conv1.bias'], { padding: 1 }));
    expectPicture(await readPicture(at('maps.png')), drawMaps(maps));

    const { stdout } = run(at('7.png'), '--model', model, '--out', at('maps.png'), '--layer', 'pool1');
    expect(stdout).toContain('32 maps of 14×14 after pool1 of mnistNet, in 4 rows of 8');
    expectPicture(await readPicture(at('maps.png')), drawMaps(maxPool2d(maps, { kernel: 2 })));

    expect(run(at('7.png'), '--model', model, '--out', at('maps.png'), '--layer', 'fc1').stderr).toBe(
      'feature-maps: --layer is "fc1", expected one of conv1, relu1, pool1, conv2, relu2, pool2, which have maps in mnistNet\n',
    );
    const maplessModel = save(dense, initialize(dense, random(0)));
    expect(run(at('7.png'), '--model', maplessModel, '--out', at('none.png'))).toEqual({
      stdout: '',
      stderr: `feature-maps: ${maplessModel} is a dense, which has no maps, expected a model with convolutions\n`,
      status: 2,
    });
    expect(readdirSync(directory).toSorted()).toEqual(['7.png', 'dense.safetensors', 'maps.png', 'mnistNet.safetensors']); // prettier-ignore
  });

  it.each([
    [['a.png', 'b.png'], 'there are 2 pictures to read, expected IMAGE: see --help'],
    [['a.png', '--model', 'a', '--out', 'no/where.png'], '--out is "no/where.png", expected a file in a directory that exists'],
  ])('error: %j', (args, message) => {
    expect(run(...args)).toEqual({ stdout: '', stderr: `feature-maps: ${message}\n`, status: 2 });
  }); // prettier-ignore

  it('--help shows every option', () => {
    const { stdout, status } = run('--help');
    expect(status).toBe(0);
    for (const option of ['model', 'layer', 'out', 'help']) expect(stdout).toContain(`  --${option} `);
  });
});
