import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { drawMaps, gridOf } from '../scripts/drawMaps.ts';
import { diverging, viridis as viridisColours } from '../scripts/pictures/colours.ts';
import { drawable, filtersPage } from '../scripts/pictures/filters.ts';
import { layerPage } from '../scripts/pictures/layer.ts';
import { readPicture, writePicture } from '../scripts/picture.ts';
import { digitOf } from '../src/data/digitOf.ts';
import { invert, toBatch, type Picture } from '../src/data/image.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { dense, mnistNet } from '../src/models/index.ts';
import { layersOf, type Model, type Parameters } from '../src/network.ts';
import { random } from '../src/random.ts';
import { writeSafetensors } from '../src/safetensors.ts';
import { get, tensor, zeros, type Tensor } from '../src/tensor.ts';
import { inputOf } from '../src/train.ts';
import { eighths } from './arbitraries.ts';
import { expectPicture, pictureOf } from './pictures.ts';

const viridis = await viridisColours();

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

/** The colour of a pixel. */
const pixelAt = ({ width, pixels }: { width: number; pixels: Uint8Array }, row: number, column: number) => [
  ...pixels.subarray((row * width + column) * 3, (row * width + column) * 3 + 3),
];

describe('drawMaps', () => {
  const white = [255, 255, 255];

  it('golden: two maps of 1×2, each from its own minimum to its own maximum', () => {
    const picture = drawMaps(tensor([[[[-4, 4]], [[1000, 999]]]]), viridis);
    const side = Math.floor((1200 - 3 * 8) / 4); // 294: four squares and three gaps in a row
    expect([picture.height, picture.width, picture.channels]).toEqual([side + 16, 4 * side + 24, 3]);
    const row = (pixel: number) => pixelAt(picture, 8 + 100, pixel);
    expect([7, 8, 8 + side - 1, 8 + side, 8 + 2 * side - 1].map(row)).toEqual([white, viridis[0], viridis[0], viridis[255], viridis[255]]); // prettier-ignore
    expect([8 + 2 * side, 15 + 2 * side, 16 + 2 * side, 16 + 3 * side].map(row)).toEqual([white, white, viridis[255], viridis[0]]); // prettier-ignore
    expect([7, 8, side + 7, side + 8].map((pixel) => pixelAt(picture, pixel, 20))).toEqual([white, viridis[0], viridis[0], white]); // prettier-ignore
  });

  it('golden: a quarter of the way is colour 64, and 3/4 is 192; a map of equal numbers is dark', () => {
    const picture = drawMaps(tensor([[[[0, 1, 3, 4]], [[5, 5, 5, 5]]]]), viridis);
    const side = Math.floor((1200 - 24) / 8);
    expect([0, 1, 2, 3].map((k) => pixelAt(picture, 20, 8 + k * side))).toEqual(
      [0, 64, 192, 255].map((i) => viridis[i]),
    );
    expect(pixelAt(picture, 20, 16 + 6 * side)).toEqual(viridis[0]);
  });

  it("the document's 32 maps of 28×28 are 1192×600 pixels; 128 of 80×80 need more", () => {
    const { height, width } = drawMaps(zeros([1, 32, 28, 28]), viridis);
    expect([height, width]).toEqual([600, 1192]);
    expect(drawMaps(zeros([1, 128, 80, 80]), viridis).height).toBe(8 * 88 + 8);
  });

  it('every number is a square of one colour, in its row and column of its map in the grid', () => {
    const size = fc.integer({ min: 1, max: 5 });
    const maps = fc.tuple(fc.integer({ min: 1, max: 7 }), size, size).chain(([C, H, W]) => eighths([1, C, H, W]));
    fc.assert(
      fc.property(maps, (maps: Tensor) => {
        const [, C, H, W] = maps.shape;
        const [rows, columns] = gridOf(C);
        const picture = drawMaps(maps, viridis);
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
                expect(pixelAt(picture, top + h * side + down, left + w * side + right)).toEqual(colour);
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
    expect(() => drawMaps(maps, viridis)).toThrow(new RangeError(message));
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

  /** Where a page shows a picture: its rows of pixels one after another, at one place. */
  const expectShown = (page: Picture, part: Picture, top: number, left: number) =>
    expectPicture(cut(page, part, top, left), part);
  const cut = ({ width, pixels }: Picture, { height, width: across }: Picture, top: number, left: number): Picture => ({
    ...{ height, width: across, channels: 3 },
    pixels: Uint8Array.from({ length: height * across * 3 }, (_, i) => {
      const [row, rest] = [Math.floor(i / (across * 3)), i % (across * 3)];
      return pixels[((top + row) * width + left) * 3 + rest];
    }),
  });

  it('draws conv1 of MNISTNet after its relu, as the document does, and any other layer', async () => {
    const parameters = initialize(mnistNet, random(0));
    const model = save(mnistNet, parameters);
    await writePicture(at('7.png'), digit);
    expect(run(at('7.png'), '--model', model, '--out', at('maps.png'))).toEqual({
      stdout: `32 maps of 28×28 after conv1 and relu1 of mnistNet, in 4 rows of 8\n${at('maps.png')}\n`,
      stderr: '',
      status: 0,
    });
    const { conv2d, relu, maxPool2d } = implementations.naive;
    const x = inputOf(mnistNet, toBatch(digitOf(digit)));
    const maps = relu(conv2d(x, parameters['conv1.weight'], parameters['conv1.bias'], { padding: 1 }));
    expectShown(await readPicture(at('maps.png')), drawMaps(maps, viridis), 72, 240); // below the title, beside the digit

    const { stdout } = run(at('7.png'), '--model', model, '--out', at('maps.png'), '--layer', 'pool1');
    expect(stdout).toContain('32 maps of 14×14 after pool1 of mnistNet, in 4 rows of 8');
    expectShown(await readPicture(at('maps.png')), drawMaps(maxPool2d(maps, { kernel: 2 }), viridis), 72, 240);

    expect(run(at('7.png'), '--model', model, '--out', at('maps.png'), '--layer', 'fc3').stderr).toBe(
      'feature-maps: --layer is "fc3", did you mean fc1? Expected one of conv1, relu1, pool1, conv2, relu2, pool2, flatten, fc1, relu3, fc2\n',
    );
    expect(readdirSync(directory).toSorted()).toEqual(['7.png', 'maps.png', 'mnistNet.safetensors']);
  });

  it('a layer without maps is drawn as its numbers, from the least to the largest', async () => {
    const y = tensor([[3, -1, 1]]);
    const { pictures, texts } = await layerPage('after fc', zeros([1, 1, 28, 28]), 'a digit', y);
    const squares = pictures.filter(({ picture: { height, width } }) => height === 54 && width === 54);
    expect(squares.map(({ picture }) => [...picture.pixels.subarray(0, 3)])).toEqual([viridis[255], viridis[0], viridis[128]]); // prettier-ignore
    expect(texts.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['after fc', 'a digit', '3 numbers, in colours from the least to the largest', '3', '−1', '1']), // prettier-ignore
    );
    expect(new Set(squares.map(({ top }) => top)).size).toBe(1);
    const many = await layerPage('after fc', zeros([1, 1, 28, 28]), 'a digit', zeros([1, 70]));
    expect(many.texts.map(({ text }) => text)).toEqual(expect.arrayContaining(['0', '32', '64']));
  });

  it('filters: a column for each kernel, a row for each channel, 0 white, the largest of all dark', async () => {
    const w = tensor([
      [[[0, 8]], [[-8, 4]]],
      [[[0, 0]], [[2, -2]]],
      [[[1, 0]], [[0, 3]]],
    ]); // (3, 2, 1, 2)
    const { pictures } = await filtersPage('filters', mnistNet, 'conv', w);
    const scale = 32;
    const [{ picture, top, left }] = pictures;
    const colours = await diverging();
    const index = (value: number) => Math.min(255, Math.floor(256 * ((value + 8) / 16)));
    const [, C] = w.shape;
    w.data.forEach((value, i) => {
      const [o, c, k] = [Math.floor(i / (2 * C)), Math.floor(i / 2) % C, i % 2];
      const [row, column] = [2 + c * (scale + 2), 2 + o * (2 * scale + 2) + k * scale];
      expect(pixelAt(picture, row, column)).toEqual(colours[index(value)]);
      expect(pixelAt(picture, row + scale - 1, column + scale - 1)).toEqual(colours[index(value)]);
    });
    expect([top > 0, left > 0, picture.height, picture.width]).toEqual([true, true, 2 + 2 * 34, 2 + 3 * 66]);
    expect([colours[0][2] > colours[0][0], colours[255][0] > colours[255][2]]).toEqual([true, true]); // blue, red
    expect(Math.min(...colours[128])).toBeGreaterThan(235);
  });

  it('filters of the shipped network need no digit; fc2 has none that are pictures', () => {
    expect(run('--filters', '--layer', 'conv2', '--out', at('filters.png'))).toEqual({
      stdout: `filters of conv2 of lenet5: 16×6×5×5\n${at('filters.png')}\n`,
      stderr: '',
      status: 0,
    });
    const names = layersOf(dense).map((node) => drawable(dense, node));
    expect(names).toEqual([undefined, 'fc1.weight', undefined, undefined, undefined, undefined]);
    expect(run('--filters', '--layer', 'fc2').stderr).toBe(
      'feature-maps: --layer is "fc2", expected one of conv1, conv2\n',
    );
  });

  it.each([
    [['a.png', '--filters'], '--filters is given for a.png, expected one of them: filters are those of all pictures'],
    [['a.png', '--out', 'maps.jpg'], '--out is "maps.jpg", expected a .png file'],
    [['a.png', 'b.png'], 'there are 2 pictures to read, expected IMAGE: see --help'],
    [['a.png', '--model', 'a', '--out', 'no/where.png'], '--out is "no/where.png", expected a file in a directory that exists'],
  ])('error: %j', (args, message) => {
    expect(run(...args)).toEqual({ stdout: '', stderr: `feature-maps: ${message}\n`, status: 2 });
  }); // prettier-ignore

  it('--help shows every option', () => {
    const { stdout, status } = run('--help');
    expect(status).toBe(0);
    for (const option of ['model', 'layer', 'filters', 'out', 'help']) expect(stdout).toContain(`  --${option} `);
  });
});
