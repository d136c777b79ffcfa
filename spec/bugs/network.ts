import { bugsOf } from './bug.ts';

export const network = bugsOf('network', 'network.ts', {
  'shortcut-lost': ['forward', 'y = add(body.y, shortcut.y);', 'y = body.y;', 'a block gives its body alone', ['60']],
  'shortcut-twice': [
    'forward',
    'y = add(body.y, shortcut.y);',
    'y = add(add(body.y, shortcut.y), shortcut.y);',
    'the shortcut is added twice',
    ['60'],
  ],
  'shortcut-of-body': [
    'forward',
    'branch(node.body), branch(node.shortcut)]',
    'branch(node.body), forward(layers, { nodes: node.shortcut }, parameters, branch(node.body).y, mode, `${path}${node.name}.`)]',
    'the shortcut starts from the y of the body',
    ['60'],
  ],
  'shortcut-gradient-lost': [
    'backward',
    'dy = add(body.dx, shortcut.dx);',
    'dy = body.dx;',
    'no gradient flows back through the shortcut',
    ['59'],
  ],
  'body-gradient-lost': [
    'backward',
    'dy = add(body.dx, shortcut.dx);',
    'dy = shortcut.dx;',
    'the gradient of the shortcut takes the place of that of the body',
    ['59'],
  ],
  'shortcut-learns-nothing': [
    'backward',
    'body.gradients, shortcut.gradients',
    'body.gradients',
    'the parameters of the shortcut have no gradient',
    ['59', 'E4.11'],
  ],
  'second-branch-after-first': [
    'backward',
    'backward(layers, branch, dy))',
    'backward(layers, branch, step.body === branch ? dy : add(dy, dy)))',
    'the gradient into the shortcut counts twice',
    ['59'],
  ],
  'loss-gradient-doubled': [
    'lossAndGradients',
    'tensor(1)',
    'tensor(2)',
    'every gradient counts twice',
    ['42', 'E4.14'],
  ],
  'loss-gradient-by-batch': [
    'lossAndGradients',
    'tensor(1)',
    'tensor(1 / x.shape[0])',
    'the mean over the batch is taken a second time',
    ['42', 'E2.3'],
  ],
  'gradients-out-of-step': [
    'backward',
    'results[`d${argument}`]',
    "results[`d${argument === 'w' ? 'w' : argument === 'b' ? 'b' : argument === 'gamma' ? 'beta' : 'gamma'}`]",
    'the gradients of gamma and beta have changed places',
    ['65'],
  ],
});
