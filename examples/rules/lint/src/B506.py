import yaml

yaml.load(body)

