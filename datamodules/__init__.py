"""Data sets in the VOC layout, label files and transforms; knows neither the science nor the callbacks."""
