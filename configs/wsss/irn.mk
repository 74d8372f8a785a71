# WSSS=irn: the CAM of WSSS=cam walks along IRNet's affinities.
CLASSIFIER      := cam
SCORES          := cam_scores
PROPAGATION     := irn_propagation
BACKBONE_OF     := cam
BACKBONE_OPTION := --model.init_args.network.init_args.classifier_weights
