"""What happens around a fit or a predict: teachers, writers, dashboards."""
