# WSSS=irn: the CAM of WSSS=cam, carried along IRNet's affinities.
CLASSIFIER  := cam
SCORES      := cam_scores
PROPAGATION := irn_propagation
PROPAGATION_BACKBONE := --model.init_args.network.init_args.classifier_weights
