"""A mask by an exported network, without mars-pl: python predict_onnx.py segmenter.onnx image.jpg mask.png."""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession(sys.argv[1])
class_names = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
image = np.asarray(ImageOps.exif_transpose(Image.open(sys.argv[2])).convert("RGB"))
(logits,) = session.run(None, {"images": image.transpose(2, 0, 1)[None]})
mask = logits[0].argmax(axis=0).astype(np.uint8)
Image.fromarray(mask).save(sys.argv[3])
for code, pixels in zip(*np.unique(mask, return_counts=True), strict=True):
    print(f"{class_names[code]}: {pixels} pixels")
