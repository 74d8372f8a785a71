"""Caffe's ResNets of ImageNet by Caffe's names and by those of kazuto1011/deeplab-pytorch, written once more."""

import timm
import torch

BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}


def of_shapes(name):
    with torch.device("meta"):
        return {key: value.shape for key, value in timm.create_model(name).state_dict().items() if value.ndim}


def caffe_layers(name, numbered):
    """Every layer of ResNet-*-model.caffemodel; a blob's numbers tell which it is."""
    shapes, layers, marks = of_shapes(name), {}, {}

    def add(caffe, convolution, norm):
        mark = len(marks) + 1
        marks[convolution] = mark
        channels = shapes[f"{norm}.weight"]
        bn = caffe.replace("res", "bn") if caffe.startswith("res") else f"bn_{caffe}"
        layers[caffe] = [torch.full(shapes[f"{convolution}.weight"], float(mark))]
        layers[bn] = [torch.full(channels, 2.0 * mark), torch.full(channels, 4.0 * mark), torch.tensor([2.0])]
        scale = bn.replace("bn", "scale", 1)
        layers[scale] = [torch.full(channels, mark + 0.5), torch.full(channels, mark + 0.25)]

    add("conv1", "conv1", "bn1")
    for stage, count in zip((2, 3, 4, 5), BLOCKS[name], strict=True):
        for index in range(count):
            letters = not (numbered and stage in (3, 4))
            block = f"{stage}{'abcdef'[index]}" if letters else f"{stage}{'a' if not index else f'b{index}'}"
            place = f"layer{stage - 1}.{index}"
            if not index:
                add(f"res{block}_branch1", f"{place}.downsample.0", f"{place}.downsample.1")
            for branch, number in (("2a", 1), ("2b", 2), ("2c", 3)):
                add(f"res{block}_branch{branch}", f"{place}.conv{number}", f"{place}.bn{number}")
    layers["fc1000"] = [torch.full((1000, 2048), 7.0), torch.full((1000,), 8.0)]
    return layers, marks


def converted(prefix="", **more):
    """What deeplab-pytorch's convert.py makes of ResNet-50, without a classifier, as AdvCAM's authors publish -101."""
    state = {}
    parts = {"conv1": "reduce", "conv2": "conv3x3", "conv3": "increase", "downsample.0": "shortcut"}
    norms = {"bn1": "reduce", "bn2": "conv3x3", "bn3": "increase", "downsample.1": "shortcut"}
    generator = torch.Generator().manual_seed(0)
    for key, shape in of_shapes("resnet50").items():
        *layer, part = key.split(".")
        if layer[0] == "fc":
            continue
        where = ".".join(layer[2:])
        if layer[0] in ("conv1", "bn1"):
            name = f"layer1.conv1.{'conv' if layer[0] == 'conv1' else 'bn'}"
        else:
            own = f"{parts[where]}.conv" if where in parts else f"{norms[where]}.bn"
            name = f"layer{int(layer[0][5:]) + 1}.block{int(layer[1]) + 1}.{own}"
        state[f"{prefix}{name}.{part}"] = torch.rand(shape, generator=generator)
    return state | more
