"""What every fit shares: weights, optimisers and schedules, the moving average."""
